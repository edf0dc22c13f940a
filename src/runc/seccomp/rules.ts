// A spec's rules → for every system call of one architecture, what happens.

import { InvalidArgument, NotImplemented } from '../../errdefs/index.ts';
import type { Seccomp, SeccompAction, SeccompArg } from '../../oci/index.ts';
import { own } from '../own.ts';
import type { Architecture } from './syscalls.ts';

/** linux/seccomp.h */
const returns: Readonly<Record<SeccompAction, number>> = {
  SCMP_ACT_KILL: 0x00000000,
  SCMP_ACT_KILL_THREAD: 0x00000000,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
};

const EPERM = 1;

/** The value that a filter returns for an action. ERRNO and TRACE carry a number, EPERM where the spec says none. */
export function actionValue(action: SeccompAction, errnoRet: number | undefined): number {
  const value = own(returns, action);
  if (value === undefined) throw new InvalidArgument(`invalid seccomp action "${action}"`);
  if (action !== 'SCMP_ACT_ERRNO' && action !== 'SCMP_ACT_TRACE') {
    if (errnoRet !== undefined && errnoRet !== 0)
      throw new InvalidArgument(`errnoRet cannot be used with action ${action}`);
    return value;
  }
  const number = errnoRet ?? EPERM;
  if (number < 0 || number > 0xffff) throw new InvalidArgument(`errnoRet ${number} is out of range`);
  return value | number;
}

/** One comparison of one argument, 64 bits. */
export interface Check {
  readonly index: number;
  readonly op: SeccompArg['op'];
  readonly value: bigint;
  readonly valueTwo: bigint;
}

/** What a call leads to: a value at once, or alternatives tried in order and then the default. */
export type Outcome =
  | { readonly kind: 'always'; readonly value: number }
  | {
      readonly kind: 'checked';
      readonly alternatives: readonly { readonly checks: readonly Check[]; readonly value: number }[];
    };

const operators: ReadonlySet<string> = new Set([
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
]);

function check(arg: SeccompArg): Check {
  if (!Number.isInteger(arg.index) || arg.index < 0 || arg.index > 5)
    throw new InvalidArgument(`seccomp argument index ${arg.index} is not 0 to 5`);
  if (!operators.has(arg.op)) throw new InvalidArgument(`invalid seccomp operator "${arg.op}"`);
  return {
    index: arg.index,
    op: arg.op,
    value: BigInt.asUintN(64, BigInt(arg.value)),
    valueTwo: BigInt.asUintN(64, BigInt(arg.valueTwo ?? 0)),
  };
}

/** A rule that names one argument twice means "either", one that names different arguments means "all" (as runc reads it). */
function alternatives(args: readonly SeccompArg[]): readonly (readonly Check[])[] {
  const checks = args.map(check);
  const twice = new Set(checks.map(({ index }) => index)).size < checks.length;
  return twice ? checks.map(one => [one]) : [checks];
}

/** Number → outcome, for all calls that a rule names. Names that this architecture lacks are left out, as they could never be called. */
export function outcomes(seccomp: Seccomp, architecture: Architecture): ReadonlyMap<number, Outcome> {
  const table = architecture.table();
  const found = new Map<number, Outcome>();
  const fallback = actionValue(seccomp.defaultAction, seccomp.defaultErrnoRet);
  for (const rule of seccomp.syscalls ?? []) {
    if (rule.action === 'SCMP_ACT_NOTIFY' && rule.names.includes('write')) {
      throw new NotImplemented('SCMP_ACT_NOTIFY cannot be used for the write syscall');
    }
    const value = actionValue(rule.action, rule.errnoRet);
    // A rule that says what holds anyway says nothing.
    if (value === fallback) continue;
    const args = rule.args ?? [];
    for (const name of rule.names) {
      const number = table.get(name);
      if (number === undefined) continue;
      const before = found.get(number);
      if (before?.kind === 'always') continue;
      if (args.length === 0) found.set(number, { kind: 'always', value });
      else {
        const more = alternatives(args).map(checks => ({ checks, value }));
        found.set(number, { kind: 'checked', alternatives: [...(before?.alternatives ?? []), ...more] });
      }
    }
  }
  return found;
}

/** The highest number that any rule, also one of the default's action, names: the calls that the profile's author knew. */
export function lastKnown(seccomp: Seccomp, architecture: Architecture): number {
  const table = architecture.table();
  let last = -1;
  for (const rule of seccomp.syscalls ?? []) {
    for (const name of rule.names) {
      const number = table.get(name);
      if (number !== undefined && number > last) last = number;
    }
  }
  return last;
}
