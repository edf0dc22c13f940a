// How each op lies in memory: the one table that the encoder, the decoder, the disassembler and the C (through the generated
// native/shim/opcodes.h) share. The code of an op is its place in the table.
//
//     program   u32 magic "BRTH", u32 version, list
//     list      u32 bytes of the whole list, u32 count, op ...
//     op        u16 code, u16 number of tolerated errnos, u32 bytes of the whole op, u32 errno ..., argument ...
//     argument  by kind, see below. Everything is little endian and aligned to 4 bytes.

import type { Op, OpName } from './op.ts';

/**
 *     u32, flag, choice   u32; a flag is 0 or 1, a choice an index into `choices` (fewer than ten)
 *     u64, number64       u64; a bigint or a number in TypeScript
 *     slot                u32 below 255
 *     string              u32 length, bytes, NUL, padding
 *     bytes, data         u32 length, bytes, padding; data may be text in TypeScript
 *     strings             u32 count, string ...
 *     u32s, u64s, patches u32 count, u32 or u64 ...
 *     program             list
 */
export type Kind =
  | 'u32'
  | 'flag'
  | 'choice'
  | 'u64'
  | 'number64'
  | 'slot'
  | 'string'
  | 'bytes'
  | 'data'
  | 'strings'
  | 'u32s'
  | 'u64s'
  | 'patches'
  | 'program';

export interface Field {
  readonly name: string;
  readonly kind: Kind;
  /** May be missing: a u32, slot or choice is 0xffffffff then, a flag 0, a list empty. */
  readonly optional?: boolean;
  readonly choices?: readonly string[];
}

type FieldsOf<Name extends OpName> = Exclude<keyof Extract<Op, { op: Name }>, 'op' | 'why' | 'failure' | 'tolerate'>;
type Layouts = { readonly [Name in OpName]: readonly (Field & { readonly name: FieldsOf<Name> })[] };

const required =
  (kind: Kind) =>
  <Name extends string>(name: Name) => ({ name, kind });
const optional =
  (kind: Kind) =>
  <Name extends string>(name: Name) => ({ name, kind, optional: true });

const u32 = required('u32');
const u64 = required('u64');
const number64 = required('number64');
const flag = required('flag');
const slot = required('slot');
const string = required('string');
const strings = required('strings');
const bytes = required('bytes');
const u32s = required('u32s');
const maybeU32 = optional('u32');
const maybeFlag = optional('flag');
const maybeSlot = optional('slot');
const choice = <Name extends string>(name: Name, ...choices: string[]) => ({ name, kind: 'choice' as const, choices });

const at = [maybeSlot('dir'), string('path'), maybeU32('resolve')] as const;

export const layouts: Layouts = {
  clone: [number64('flags'), maybeSlot('cgroup'), maybeSlot('pidfd'), { name: 'program', kind: 'program' }],
  unshare: [u32('flags')],
  setns: [slot('fd'), u32('flags')],
  notify: [choice('peer', 'child', 'parent')],
  await: [choice('peer', 'child', 'parent', 'exec')],
  ready: [],
  setsid: [],
  prctl: [u32('option'), { name: 'args', kind: 'u64s' }],
  joinSessionKeyring: [string('name')],
  writeIdMap: [choice('file', 'uid_map', 'gid_map', 'setgroups'), string('data')],
  setgroups: [u32s('gids')],
  setgid: [u32('gid')],
  setuid: [u32('uid')],
  umask: [u32('mask')],
  capset: [u64('effective'), u64('permitted'), u64('inheritable')],
  capBounding: [u64('keep')],
  capAmbient: [u64('raise')],
  rlimit: [u32('resource'), u64('soft'), u64('hard'), maybeFlag('clamp')],
  personality: [u32('persona')],
  schedSetattr: [bytes('attr')],
  ioprio: [u32('value')],
  cpuAffinity: [bytes('mask')],
  seccomp: [bytes('filter'), u32('flags'), maybeSlot('listener')],
  sethostname: [string('name')],
  setdomainname: [string('name')],
  exec: [strings('candidates'), strings('args'), strings('env')],
  checkExec: [strings('candidates')],
  exit: [u32('code')],
  pidfdOpen: [slot('slot'), u32('pid')],
  awaitByte: [slot('slot')],
  memoryPolicy: [u32('mode'), bytes('nodes')],
  deviceFilter: [slot('cgroup'), bytes('program')],
  run: [
    string('path'),
    strings('args'),
    strings('env'),
    string('stdin'),
    { name: 'pidToken', kind: 'string', optional: true },
    u32('timeoutMs'),
  ],

  open: [slot('slot'), u32('flags'), maybeU32('mode'), ...at],
  close: [slot('slot')],
  verify: [slot('slot'), maybeU32('magic'), maybeU32('type'), maybeU32('rdev')],
  mkdir: [u32('mode'), maybeFlag('parents'), ...at],
  mknod: [u32('mode'), u32('major'), u32('minor'), ...at],
  symlink: [string('target'), ...at],
  chown: [u32('uid'), u32('gid'), ...at],
  chmod: [u32('mode'), ...at],
  unlink: at,
  rmdir: at,
  write: [{ name: 'data', kind: 'data' }, maybeU32('flags'), maybeU32('mode'), ...at],
  chdir: at,
  fchdir: [slot('slot')],
  chroot: at,

  mount: [string('source'), string('target'), string('type'), u32('flags'), string('data')],
  umount: [string('target'), u32('flags')],
  pivotRoot: [string('newRoot'), string('putOld')],
  fsmount: [slot('slot'), string('type'), string('source'), strings('options'), u32('attributes')],
  openTree: [slot('slot'), flag('recursive'), ...at],
  mountSetattr: [
    maybeSlot('slot'),
    { name: 'path', kind: 'string', optional: true },
    u32('set'),
    u32('clear'),
    u32('propagation'),
    maybeSlot('userns'),
    flag('recursive'),
  ],
  moveMount: [
    slot('slot'),
    { name: 'make', kind: 'choice', optional: true, choices: ['directory', 'file', 'same'] },
    ...at,
  ],
  mask: [slot('file'), slot('directory'), ...at],
  readonlyPath: at,
  copyUp: [slot('slot'), number64('maxBytes'), ...at],

  netlink: [u32('protocol'), bytes('messages'), { name: 'pid', kind: 'patches', optional: true }],

  pipe: [slot('read'), slot('write'), u32('size'), maybeU32('uid'), maybeU32('gid')],
  dup: [slot('slot'), u32('fd')],
  openPty: [slot('master'), slot('slave'), u32('rows'), u32('columns'), u32('uid'), ...at],
  controllingTty: [slot('slot')],
  sendFd: [slot('slot')],
  receiveFd: [slot('slot')],
  sendFdTo: [string('socket'), slot('slot'), string('data'), { name: 'pidToken', kind: 'string', optional: true }],
  stdio: [maybeSlot('terminal'), maybeSlot('stdin'), maybeSlot('stdout'), maybeSlot('stderr')],
  closeOnExecFrom: [u32('fd')],
};

/** All ops in the order of their codes. */
export const opNames = Object.keys(layouts) as OpName[];

export const codes: ReadonlyMap<OpName, number> = new Map(opNames.map((name, code) => [name, code]));

export const MAGIC = 0x48545242;
export const MAX_BYTES = 16 << 20;
export const MAX_DEPTH = 8;
export const SLOTS = 255;
/** Stands for an optional argument that is missing. */
export const ABSENT = 0xffffffff;

/** Whether the pids that a netlink op puts into its messages lie inside of them. */
export function patchesFit(op: Op): boolean {
  return op.op !== 'netlink' || (op.pid ?? []).every(patch => patch.offset + 4 <= op.messages.length);
}

/** Changes with the table, so that a program never runs on a launcher built from another one. */
export const version = fnv1a(JSON.stringify(layouts));

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
