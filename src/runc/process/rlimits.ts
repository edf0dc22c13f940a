import { InvalidArgument } from '../../errdefs/index.ts';
import type { Op } from '../../launcher/index.ts';
import type { Rlimit } from '../../oci/index.ts';
import { own } from '../own.ts';

/** asm-generic/resource.h */
const resources: Readonly<Record<string, number>> = {
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
};

const infinity = 2n ** 64n - 1n;

/** -1 is unlimited, and so is all that a JSON number cannot tell from 2^64. */
const limit = (value: number): bigint => (value < 0 || value >= 2 ** 64 ? infinity : BigInt(Math.trunc(value)));

/** Limits of a process. One beyond the machine's hard limit, without CAP_SYS_RESOURCE, becomes that hard limit. */
export const rlimitOps = (rlimits: readonly Rlimit[]): readonly Op[] =>
  rlimits.map(({ type, soft, hard }) => {
    const resource = own(resources, type);
    if (resource === undefined) throw new InvalidArgument(`invalid rlimit type: ${type}`);
    return {
      op: 'rlimit',
      resource,
      soft: limit(soft),
      hard: limit(hard),
      clamp: true,
      why: `runtime-spec config.md: process.rlimits ${type}`,
      failure: `error setting rlimits for ready process: error setting rlimit type ${resource}`,
    };
  });
