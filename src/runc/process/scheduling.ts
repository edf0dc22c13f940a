// runtime-spec config.md: scheduler, ioPriority and execCPUAffinity; config-linux.md: personality and memoryPolicy.

import { InvalidArgument } from '../../errdefs/index.ts';
import type { Op } from '../../launcher/index.ts';
import type { IoPriority, Linux, Scheduler } from '../../oci/index.ts';
import { own } from '../own.ts';

/** linux/sched.h */
const policies: Readonly<Record<string, number>> = {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_ISO: 4,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
};

const schedulerFlags: Readonly<Record<string, number>> = {
  SCHED_FLAG_RESET_ON_FORK: 0x01,
  SCHED_FLAG_RECLAIM: 0x02,
  SCHED_FLAG_DL_OVERRUN: 0x04,
  SCHED_FLAG_KEEP_POLICY: 0x08,
  SCHED_FLAG_KEEP_PARAMS: 0x10,
  SCHED_FLAG_UTIL_CLAMP_MIN: 0x20,
  SCHED_FLAG_UTIL_CLAMP_MAX: 0x40,
};

function lookUp(table: Readonly<Record<string, number>>, word: string, what: string): number {
  const value = own(table, word);
  if (value === undefined) throw new InvalidArgument(`invalid ${what}: ${word}`);
  return value;
}

/** struct sched_attr, version 0 (linux/sched/types.h). */
export function schedulerOp(scheduler: Scheduler): Op {
  const attr = new Uint8Array(48);
  const view = new DataView(attr.buffer);
  const flags = (scheduler.flags ?? []).reduce((all, word) => all | lookUp(schedulerFlags, word, 'scheduler flag'), 0);
  view.setUint32(0, attr.length, true);
  view.setUint32(4, lookUp(policies, scheduler.policy, 'scheduler policy'), true);
  view.setBigUint64(8, BigInt(flags), true);
  view.setInt32(16, scheduler.nice ?? 0, true);
  view.setUint32(20, scheduler.priority ?? 0, true);
  view.setBigUint64(24, BigInt(scheduler.runtime ?? 0), true);
  view.setBigUint64(32, BigInt(scheduler.deadline ?? 0), true);
  view.setBigUint64(40, BigInt(scheduler.period ?? 0), true);
  return {
    op: 'schedSetattr',
    attr,
    why: 'runtime-spec config.md: process.scheduler',
    failure: 'error setting scheduler',
  };
}

const ioClasses: Readonly<Record<string, number>> = { IOPRIO_CLASS_RT: 1, IOPRIO_CLASS_BE: 2, IOPRIO_CLASS_IDLE: 3 };

export function ioPriorityOp(priority: IoPriority): Op {
  if (priority.priority < 0 || priority.priority > 7)
    throw new InvalidArgument('invalid ioPriority.priority: want 0 to 7');
  const value = (lookUp(ioClasses, priority.class, 'ioPriority.class') << 13) | priority.priority;
  return {
    op: 'ioprio',
    value,
    why: 'runtime-spec config.md: process.ioPriority',
    failure: 'error setting I/O priority',
  };
}

/** `0-3,5` → a bit mask, as sched_setaffinity(2) and set_mempolicy(2) take it: 64-bit words. */
export function bitList(list: string, what: string): Uint8Array {
  const bits: number[] = [];
  for (const part of list.split(',')) {
    const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part);
    if (match === null) throw new InvalidArgument(`invalid ${what}: "${list}"`);
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || last > 8191) throw new InvalidArgument(`invalid ${what}: "${list}"`);
    for (let bit = first; bit <= last; bit++) bits.push(bit);
  }
  const mask = new Uint8Array(8 * (Math.floor(Math.max(...bits) / 64) + 1));
  for (const bit of bits) mask[bit >> 3]! |= 1 << (bit & 7);
  return mask;
}

/** sys/personality.h */
const domains: Readonly<Record<string, number>> = { LINUX: 0, LINUX32: 8 };

export function personalityOp(personality: NonNullable<Linux['personality']>): Op {
  if ((personality.flags ?? []).length > 0) throw new InvalidArgument('personality flags are not supported');
  const persona = lookUp(domains, personality.domain, 'personality domain');
  return {
    op: 'personality',
    persona,
    why: 'runtime-spec config-linux.md: personality',
    failure: 'error setting personality',
  };
}

/** linux/mempolicy.h */
const memoryModes: Readonly<Record<string, number>> = {
  MPOL_DEFAULT: 0,
  MPOL_PREFERRED: 1,
  MPOL_BIND: 2,
  MPOL_INTERLEAVE: 3,
  MPOL_LOCAL: 4,
  MPOL_PREFERRED_MANY: 5,
  MPOL_WEIGHTED_INTERLEAVE: 6,
};

const memoryFlags: Readonly<Record<string, number>> = {
  MPOL_F_STATIC_NODES: 1 << 15,
  MPOL_F_RELATIVE_NODES: 1 << 14,
  MPOL_F_NUMA_BALANCING: 1 << 13,
};

export function memoryPolicyOp(policy: NonNullable<Linux['memoryPolicy']>): Op {
  const flags = (policy.flags ?? []).reduce((all, word) => all | lookUp(memoryFlags, word, 'memory policy flag'), 0);
  return {
    op: 'memoryPolicy',
    mode: lookUp(memoryModes, policy.mode, 'memory policy mode') | flags,
    nodes: policy.nodes ? bitList(policy.nodes, 'memory policy nodes') : new Uint8Array(0),
    why: 'runtime-spec config-linux.md: memoryPolicy',
    failure: 'error setting memory policy',
  };
}
