// A seccomp profile → BPF.
//
//     architecture? ── one section each; any other: kill
//       section: number beyond all that the profile knows → ENOSYS
//                a binary tree over ranges of numbers that lead to the same thing
//                  leaf: return, or comparisons of arguments and then return
//
// A tree over merged ranges needs about a third of the instructions that one comparison per call takes, and every call costs its depth.

import { InvalidArgument } from '../../errdefs/index.ts';
import type { Seccomp } from '../../oci/index.ts';
import { own } from '../own.ts';
import { Assembler, bpf, type Label } from './assembler.ts';
import { actionValue, type Check, lastKnown, type Outcome, outcomes } from './rules.ts';
import { type Architecture, architectures, foreignArchitectures, nativeArchitecture, X32_BIT } from './syscalls.ts';

export interface SeccompFilter {
  /** struct sock_filter[] */
  readonly filter: Uint8Array;
  /** SECCOMP_FILTER_FLAG_* */
  readonly flags: number;
}

/** linux/seccomp.h; TSYNC is left out, since the process that loads a filter is single-threaded. */
const flagBits: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 0,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 32,
};
const NEW_LISTENER = 8;

export const knownSeccompFlags: readonly string[] = Object.keys(flagBits);

/** struct seccomp_data */
const offsets = { number: 0, architecture: 4, arguments: 16 } as const;

const ENOSYS = 0x00050000 | 38;
const KILL_THREAD = 0;

function flags(seccomp: Seccomp): number {
  // runc's default since 1.2: the mitigation that the flag turns off costs much and gives nothing to a container.
  const words = seccomp.flags ?? ['SECCOMP_FILTER_FLAG_SPEC_ALLOW'];
  const bits = words.reduce((all, word) => {
    const bit = own(flagBits, word);
    if (bit === undefined) throw new InvalidArgument(`seccomp flag "${word}" is unknown`);
    return all | bit;
  }, 0);
  return seccomp.listenerPath ? bits | NEW_LISTENER : bits;
}

/** The architectures of a profile that this machine can run; its own always. */
function wanted(seccomp: Seccomp): readonly Architecture[] {
  const names = new Set([nativeArchitecture, ...(seccomp.architectures ?? [])]);
  return [...names].flatMap(name => {
    const architecture = own(architectures, name);
    if (architecture === undefined && !foreignArchitectures.has(name))
      throw new InvalidArgument(`invalid seccomp architecture "${name}"`);
    return architecture ?? [];
  });
}

/** Compiles without looking into the cache. */
export function compileFilter(seccomp: Seccomp, selected: readonly Architecture[] = wanted(seccomp)): Uint8Array {
  const assembler = new Assembler();
  const sections = new Map<number, Architecture[]>();
  for (const architecture of selected) {
    const same = sections.get(architecture.audit);
    if (same) same.push(architecture);
    else sections.set(architecture.audit, [architecture]);
  }
  // The last section lies last: sections are put in front of each other.
  let next = assembler.ret(KILL_THREAD);
  for (const [audit, members] of [...sections].reverse()) {
    const section = compileSection(assembler, seccomp, members);
    next = assembler.jump(bpf.JMP_JEQ, audit, section, next);
  }
  return assembler.finish(assembler.load(offsets.architecture, next));
}

/** One audit architecture. x32 shares x86_64's and is told by bit 30 of the number. */
function compileSection(assembler: Assembler, seccomp: Seccomp, members: readonly Architecture[]): Label {
  const x32 = members.find(member => member.base !== 0);
  const plain = members.find(member => member.base === 0);
  const high = x32 ? compileTree(assembler, seccomp, x32) : assembler.ret(KILL_THREAD);
  const low = plain ? compileTree(assembler, seccomp, plain) : assembler.ret(KILL_THREAD);
  // Without x32 in the profile its numbers must not be taken for others'.
  const split = members[0]!.audit === architectures.SCMP_ARCH_X86_64!.audit;
  const start = split ? assembler.jump(bpf.JMP_JGE, X32_BIT, high, low) : low;
  return assembler.load(offsets.number, start);
}

interface Range {
  readonly start: number;
  readonly outcome: Outcome;
}

const sameOutcome = (a: Outcome, b: Outcome): boolean =>
  a.kind === 'always' && b.kind === 'always' ? a.value === b.value : a === b;

/** All numbers from `base` on, as ranges that each lead to one outcome. */
export function ranges(seccomp: Seccomp, architecture: Architecture): readonly Range[] {
  const found = outcomes(seccomp, architecture);
  const fallback: Outcome = { kind: 'always', value: actionValue(seccomp.defaultAction, seccomp.defaultErrnoRet) };
  const { base } = architecture;
  const list: Range[] = [];
  /** From `start` on; what was said of that very number before is overruled. */
  const add = (start: number, outcome: Outcome) => {
    if (list.at(-1)?.start === start) list.pop();
    const last = list.at(-1);
    if (last === undefined || !sameOutcome(last.outcome, outcome)) list.push({ start, outcome });
  };
  add(base, fallback);
  for (const [number, outcome] of [...found].sort(([a], [b]) => a - b)) {
    add(base + number, outcome);
    add(base + number + 1, fallback);
  }
  // Calls newer than the profile: ENOSYS lets libc fall back, where EPERM would be taken for the kernel's own word (runc does the same).
  const permissive = seccomp.defaultAction === 'SCMP_ACT_ALLOW' || seccomp.defaultAction === 'SCMP_ACT_LOG';
  const last = lastKnown(seccomp, architecture);
  if (!permissive && last >= 0) add(base + last + 1, { kind: 'always', value: ENOSYS });
  return list;
}

function compileTree(assembler: Assembler, seccomp: Seccomp, architecture: Architecture): Label {
  const list = ranges(seccomp, architecture);
  const fallback = actionValue(seccomp.defaultAction, seccomp.defaultErrnoRet);
  const tree = (from: number, to: number): Label => {
    if (to - from === 1) return leaf(assembler, list[from]!.outcome, fallback);
    const middle = (from + to) >> 1;
    const right = tree(middle, to);
    const left = tree(from, middle);
    return assembler.jump(bpf.JMP_JGE, list[middle]!.start, right, left);
  };
  return tree(0, list.length);
}

function leaf(assembler: Assembler, outcome: Outcome, fallback: number): Label {
  if (outcome.kind === 'always') return assembler.ret(outcome.value);
  let next = assembler.ret(fallback);
  for (const { checks, value } of outcome.alternatives.toReversed()) {
    const no = next;
    let yes = assembler.ret(value);
    for (const one of checks.toReversed()) yes = comparison(assembler, one, yes, no);
    next = yes;
  }
  return next;
}

const halves = (value: bigint): readonly [number, number] => [Number(value >> 32n), Number(value & 0xffffffffn)];

/** A 64-bit comparison out of 32-bit ones, high half first. */
function comparison(assembler: Assembler, { index, op, value, valueTwo }: Check, yes: Label, no: Label): Label {
  const lowAt = offsets.arguments + index * 8;
  const highAt = lowAt + 4;
  const [high, low] = halves(value);
  const ordered = (code: number, hit: Label, miss: Label): Label => {
    const lower = assembler.load(lowAt, assembler.jump(code, low, hit, miss));
    const equal = assembler.jump(bpf.JMP_JEQ, high, lower, miss);
    return assembler.load(highAt, assembler.jump(bpf.JMP_JGT, high, hit, equal));
  };
  const equal = (hit: Label, miss: Label): Label => {
    const lower = assembler.load(lowAt, assembler.jump(bpf.JMP_JEQ, low, hit, miss));
    return assembler.load(highAt, assembler.jump(bpf.JMP_JEQ, high, lower, miss));
  };
  switch (op) {
    case 'SCMP_CMP_EQ':
      return equal(yes, no);
    case 'SCMP_CMP_NE':
      return equal(no, yes);
    case 'SCMP_CMP_GT':
      return ordered(bpf.JMP_JGT, yes, no);
    case 'SCMP_CMP_GE':
      return ordered(bpf.JMP_JGE, yes, no);
    case 'SCMP_CMP_LT':
      return ordered(bpf.JMP_JGE, no, yes);
    case 'SCMP_CMP_LE':
      return ordered(bpf.JMP_JGT, no, yes);
    case 'SCMP_CMP_MASKED_EQ': {
      const [wantHigh, wantLow] = halves(valueTwo & value);
      const lower = assembler.load(lowAt, assembler.and(low, assembler.jump(bpf.JMP_JEQ, wantLow, yes, no)));
      if (high === 0) return lower;
      return assembler.load(highAt, assembler.and(high, assembler.jump(bpf.JMP_JEQ, wantHigh, lower, no)));
    }
  }
}

const byObject = new WeakMap<Seccomp, SeccompFilter>();
const byText = new Map<string, SeccompFilter>();

/** Compiles a profile, once: containers with the same capabilities share theirs. */
export function compileSeccomp(seccomp: Seccomp): SeccompFilter {
  const known = byObject.get(seccomp);
  if (known) return known;
  const text = JSON.stringify(seccomp, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
  let compiled = byText.get(text);
  if (compiled === undefined) {
    compiled = { filter: compileFilter(seccomp), flags: flags(seccomp) };
    if (byText.size >= 64) byText.delete(byText.keys().next().value!);
    byText.set(text, compiled);
  }
  byObject.set(seccomp, compiled);
  return compiled;
}
