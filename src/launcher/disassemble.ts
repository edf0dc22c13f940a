import {
  capabilityNames,
  cloneFlags,
  flagNames,
  mountAttributes,
  mountFlags,
  netlinkProtocols,
  openFlags,
  prctlNames,
  resolveFlags,
  rlimitNames,
  seccompFlags,
  umountFlags,
} from './flag-names.ts';
import { type Field, layouts } from './layouts.ts';
import type { Op, OpName, PidPatch, Program } from './op.ts';

export interface DisassembleOptions {
  /** Lines that explain an op's bytes (netlink messages, a seccomp filter), by whoever made them; they come indented below it. */
  readonly explain?: (op: Op) => readonly string[] | undefined;
}

/**
 * A program for people to read: one op a line, numbered as a failure's path counts, children indented below their clone.
 *
 *     0  mkdir /sys/fs/cgroup/pids/docker/4f parents mode=0755   # cgroupsPath
 *     1  clone NEWNS|NEWPID
 *        1.0  fsmount [3] proc proc NOSUID|NODEV|NOEXEC          # runtime-spec config.md Mounts: /proc
 *     2  await exec
 *
 * `[3]` is a slot, `[3]/etc` a path from it, `?ENOENT` an errno that does not matter.
 */
export function disassemble(program: Program, options: DisassembleOptions = {}): string {
  const lines: string[] = [];
  writeList(lines, program, '', '', options);
  return `${lines.join('\n')}\n`;
}

function writeList(
  lines: string[],
  program: Program,
  prefix: string,
  indent: string,
  options: DisassembleOptions,
): void {
  const width = `${prefix}${Math.max(0, program.length - 1)}`.length;
  program.forEach((op, index) => {
    const number = `${prefix}${index}`;
    const line = `${indent}${number.padStart(width)}  ${disassembleOp(op)}`;
    lines.push(op.why ? `${line}  # ${op.why}` : line);
    const below = `${indent}${' '.repeat(width + 2)}`;
    for (const text of options.explain?.(op) ?? []) lines.push(`${below}| ${text}`);
    if (op.op === 'clone') writeList(lines, op.program, `${number}.`, below, options);
  });
}

/** One op, without its number, reason and children. */
export function disassembleOp(op: Op): string {
  const values = op as unknown as Record<string, unknown>;
  const words: string[] = [op.op];
  for (const field of shownOrder(op.op)) {
    const word = wordOf(op.op, field, values);
    if (word) words.push(word);
  }
  for (const errno of op.tolerate ?? []) words.push(`?${errno}`);
  return words.join(' ');
}

/** As laid out, but a path comes before what is done with it: after a slot or a link's target. */
function shownOrder(op: OpName): readonly Field[] {
  const layout: readonly Field[] = layouts[op];
  const path = layout.findIndex(field => field.name === 'path');
  const first = layout[0]?.name === 'slot' || layout[0]?.name === 'target' ? 1 : 0;
  if (path <= first) return layout;
  return [...layout.slice(0, first), layout[path]!, ...layout.slice(first).filter(field => field.name !== 'path')];
}

/** A field as it is shown; '' for what is not there or shown with another. */
function wordOf(op: OpName, field: Field, values: Record<string, unknown>): string {
  const value = values[field.name];
  if (field.name === 'path' && layouts[op].some(other => other.name === 'dir')) return place(values);
  if (field.name === 'dir' || field.kind === 'program' || value === undefined || value === false) return '';
  const text = formats[`${op}.${field.name}`] ?? formats[field.name];
  if (text) return text(value as never);
  switch (field.kind) {
    case 'flag':
      return field.name;
    case 'choice':
      return field.name === 'peer' || field.name === 'file' ? String(value) : `${field.name}=${value}`;
    case 'slot':
      return field.name === 'slot' || field.name === 'fd' ? `[${value}]` : `${field.name}=[${value}]`;
    case 'string':
      return bare.has(field.name) ? quote(value as string) : `${field.name}=${quote(value as string)}`;
    case 'strings':
      return `${field.name}=[${(value as string[]).map(quote).join(' ')}]`;
    case 'data':
    case 'bytes':
      return typeof value === 'string' ? quote(value) : `<${(value as Uint8Array).length} bytes>`;
    case 'u32s':
    case 'u64s':
      return `${field.name}=[${(value as number[]).join(' ')}]`;
    case 'patches':
      return `${field.name}@${(value as PidPatch[]).map(patch => patch.offset).join(',')}`;
    default:
      return bare.has(field.name) ? String(value) : `${field.name}=${value}`;
  }
}

/** Arguments that need no name. */
const bare = new Set(['path', 'source', 'target', 'type', 'name', 'data', 'newRoot', 'putOld', 'socket', 'code', 'fd']);

function place(values: Record<string, unknown>): string {
  const path = values.path as string;
  if (values.dir === undefined) return quote(path);
  return `[${values.dir}]${path === '' ? '' : `/${quote(path).replace(/^\//, '')}`}`;
}

const octal = (name: string) => (value: number) => `${name}=${value.toString(8).padStart(4, '0')}`;
const flags = (names: Parameters<typeof flagNames>[1]) => (value: number) => flagNames(value, names);
const flagsIfAny = (names: Parameters<typeof flagNames>[1]) => (value: number) =>
  value ? flagNames(value, names) : '';
const capabilitySet = (name: string) => (value: bigint) => `${name}=${capabilityNames(value)}`;
const limit = (name: string) => (value: bigint) =>
  `${name}=${BigInt.asUintN(64, value) === 2n ** 64n - 1n ? 'unlimited' : value}`;

/** How fields are shown that the kind alone does not tell: by op and field, or by field. */
const formats: Readonly<Record<string, (value: never) => string>> = {
  resolve: flagsIfAny(resolveFlags),
  mode: octal('mode'),
  'memoryPolicy.mode': (value: number) => `mode=${value}`,
  'umask.mask': octal('mask'),
  'clone.flags': flags(cloneFlags),
  'unshare.flags': flags(cloneFlags),
  'setns.flags': flags(cloneFlags),
  'open.flags': flagsIfAny(openFlags),
  'write.flags': flagsIfAny(openFlags),
  'mount.flags': flags(mountFlags),
  'umount.flags': flags(umountFlags),
  'fsmount.attributes': flagsIfAny(mountAttributes),
  'fsmount.options': (value: readonly string[]) => value.map(quote).join(','),
  'mountSetattr.set': (value: number) => (value ? `+${flagNames(value, mountAttributes)}` : ''),
  'mountSetattr.clear': (value: number) => (value ? `-${flagNames(value, mountAttributes)}` : ''),
  'mountSetattr.propagation': flagsIfAny(mountFlags),
  'seccomp.filter': (value: Uint8Array) => `<${value.length / 8} instructions>`,
  'seccomp.flags': flagsIfAny(seccompFlags),
  'setuid.uid': String,
  'setgid.gid': String,
  'deviceFilter.program': (value: Uint8Array) => `<${value.length / 8} instructions>`,
  'capset.effective': capabilitySet('effective'),
  'capset.permitted': capabilitySet('permitted'),
  'capset.inheritable': capabilitySet('inheritable'),
  'capBounding.keep': capabilitySet('keep'),
  'capAmbient.raise': capabilitySet('raise'),
  'rlimit.resource': (value: number) => rlimitNames[value] ?? String(value),
  'rlimit.soft': limit('soft'),
  'rlimit.hard': limit('hard'),
  'prctl.option': (value: number) => prctlNames.get(value) ?? String(value),
  'prctl.args': (value: readonly number[]) => value.join(' '),
  'netlink.protocol': (value: number) => netlinkProtocols.get(value) ?? String(value),
  'verify.magic': (value: number) => `magic=0x${value.toString(16)}`,
  'verify.type': octal('type'),
  // The kernel's 32-bit dev_t: 8 bits of the minor, 12 of the major, the rest of the minor.
  'verify.rdev': (value: number) => `rdev=${(value >>> 8) & 0xfff}:${(value & 0xff) | ((value >>> 12) & 0xfff00)}`,
  'personality.persona': (value: number) => `0x${value.toString(16)}`,
  'dup.fd': (value: number) => `→ ${value}`,
  'exec.candidates': (value: readonly string[]) => value.map(quote).join(' or '),
  'checkExec.candidates': (value: readonly string[]) => value.map(quote).join(' or '),
};

/** Text as it is where it is one plain word, else in quotes. */
function quote(text: string): string {
  return /^[\w./:=@%+,*~{}-]+$/.test(text) ? text : JSON.stringify(text);
}
