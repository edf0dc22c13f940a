// linux/capability.h: names and bits, and the ops that leave a process with the five sets of a spec.

import type { Op } from '../../launcher/index.ts';
import type { Capabilities } from '../../oci/index.ts';

/** In the order of their numbers. */
export const capabilityNames = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
] as const;

const bits: ReadonlyMap<string, bigint> = new Map(capabilityNames.map((name, index) => [name, 1n << BigInt(index)]));

/** A set as the kernel's bit mask. Names nobody knows are left out, as runc does (with a warning): a newer daemon may know more than this runtime. */
export const capabilityMask = (names: readonly string[] | undefined): bigint =>
  (names ?? []).reduce((mask, name) => mask | (bits.get(name) ?? 0n), 0n);

/** The five sets as masks, no more than `available` (what we ourselves are bounded by). */
export interface CapabilitySets {
  readonly bounding: bigint;
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly ambient: bigint;
}

export function capabilitySets(capabilities: Capabilities, available: bigint): CapabilitySets {
  const mask = (names: readonly string[] | undefined) => capabilityMask(names) & available;
  const permitted = mask(capabilities.permitted);
  const inheritable = mask(capabilities.inheritable);
  return {
    bounding: mask(capabilities.bounding),
    effective: mask(capabilities.effective) & permitted,
    permitted,
    inheritable,
    // capabilities(7): only what is both permitted and inheritable can be ambient.
    ambient: mask(capabilities.ambient) & permitted & inheritable,
  };
}

const why = 'runtime-spec config.md: process.capabilities';

/** Before the user changes: the bounding set needs CAP_SETPCAP. */
export const dropBounding = (sets: CapabilitySets): readonly Op[] => [
  { op: 'capBounding', keep: sets.bounding, why, failure: 'unable to apply bounding set' },
];

/** After it: the rest, and the ambient set last, which needs the others. */
export const applyCapabilities = (sets: CapabilitySets): readonly Op[] => [
  {
    op: 'capset',
    effective: sets.effective,
    permitted: sets.permitted,
    inheritable: sets.inheritable,
    why,
    failure: 'unable to apply caps',
  },
  { op: 'capAmbient', raise: sets.ambient, why, failure: 'unable to apply ambient caps' },
];
