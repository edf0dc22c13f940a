// Which capabilities a container gets (moby daemon/pkg/oci/caps).

import { InvalidArgument } from '../../../errdefs/index.ts';
import { capabilityNames } from '../../../runc/index.ts';

/** Linux's, in the order of their numbers. */
export const allCapabilities: readonly string[] = capabilityNames;

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
