// Which capabilities a container gets (moby daemon/pkg/oci/caps).

import { InvalidArgument } from '../../../errdefs/index.ts';

/** Linux's, in the order of their numbers (linux/capability.h). */
export const allCapabilities: readonly string[] = [
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
];

/** Docker's fourteen, in its order. */
export const defaultCapabilities: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

/** `sys_admin` → `CAP_SYS_ADMIN`, `all` → `ALL`. InvalidArgument for what is none. */
export function normalise(names: readonly string[], option: 'CapAdd' | 'CapDrop'): string[] {
  return names.map(name => {
    const upper = name.toUpperCase();
    if (upper === 'ALL') return 'ALL';
    const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
    if (!allCapabilities.includes(full)) throw new InvalidArgument(`invalid ${option}: unknown capability: "${full}"`);
    return full;
  });
}

/** The set of a container. `host` are the daemon's own: nobody can give away what he has not. */
export function capabilitySet(options: {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly privileged: boolean;
  readonly host: readonly string[];
}): string[] {
  if (options.privileged) return [...options.host];
  const add = normalise(options.add, 'CapAdd');
  const drop = normalise(options.drop, 'CapDrop');
  if (add.length === 0 && drop.length === 0) return defaultCapabilities.filter(name => options.host.includes(name));
  if (add.includes('ALL')) return options.host.filter(name => !drop.includes(name));
  const base = drop.includes('ALL') ? [] : defaultCapabilities.filter(name => !drop.includes(name));
  return [...base, ...add.filter(name => !base.includes(name))];
}

/** Names of the bits of a `CapBnd:` line of /proc/PID/status. */
export function capabilitiesOfMask(mask: bigint): string[] {
  return allCapabilities.filter((_, bit) => (mask >> BigInt(bit)) & 1n);
}
