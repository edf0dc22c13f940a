// Which subnet a network gets when its creator names none.

import { createHash } from 'node:crypto';
import { InvalidArgument, PermissionDenied } from '../../errdefs/index.ts';
import { formatPrefix, lastAddress, overlaps, type Prefix, parsePrefix, prefixOf, sizeOf } from './prefix.ts';

/** A range that is carved into subnets of one size (`default-address-pools` of daemon.json). */
export interface AddressPoolConfig {
  readonly base: string;
  /** Prefix length of each subnet. */
  readonly size: number;
}

/** A subnet that must be kept clear of, and whose it is. */
export interface TakenPrefix {
  readonly prefix: Prefix;
  readonly owner: string;
}

/**
 * The ranges Docker uses, in smaller pieces: 4094 and 254 addresses are plenty, and a network takes a sixteenth of what it
 * takes there from the address space of the people around us.
 */
export const defaultAddressPools: readonly AddressPoolConfig[] = [
  ...Array.from({ length: 15 }, (_, i) => ({ base: `172.${17 + i}.0.0/16`, size: 20 })),
  { base: '192.168.0.0/16', size: 24 },
];

/** The unique local range of this engine (RFC 4193), always the same for the same seed. */
export function uniqueLocalPool(seed: string): AddressPoolConfig {
  const id = createHash('sha256').update(seed).digest('hex').slice(0, 10);
  return { base: `fd${id.slice(0, 2)}:${id.slice(2, 6)}:${id.slice(6, 10)}::/48`, size: 64 };
}

export function checkAddressPools(pools: readonly AddressPoolConfig[]): void {
  for (const { base, size } of pools) {
    const prefix = parsePrefix(base);
    if (size < prefix.length || size > prefix.bits) {
      throw new InvalidArgument(`invalid default address pool ${base}: size ${size} does not fit`);
    }
  }
}

/** The first subnet of the pools that overlaps nothing taken; the error names what was in the way. */
export function chooseSubnet(
  pools: readonly AddressPoolConfig[],
  bits: 32 | 128,
  taken: readonly TakenPrefix[],
): Prefix {
  const inTheWay = new Set<string>();
  for (const pool of pools) {
    const base = parsePrefix(pool.base);
    if (base.bits !== bits) continue;
    const last = lastAddress(base);
    for (let candidate = prefixOf(base.base, bits, pool.size); candidate.base <= last; ) {
      const clash = taken.find(({ prefix }) => overlaps(prefix, candidate));
      if (clash === undefined) return candidate;
      inTheWay.add(`${formatPrefix(clash.prefix)} (${clash.owner})`);
      // Behind whatever is bigger: one taken /8 must not be met once for each of its subnets.
      const behind = lastAddress(clash.prefix) + 1n;
      const step = candidate.base + sizeOf(candidate);
      candidate = { ...candidate, base: behind > step ? roundUp(behind, sizeOf(candidate)) : step };
    }
  }
  const list = [...inTheWay];
  const shown = list.slice(0, 8).join(', ') + (list.length > 8 ? ` and ${list.length - 8} more` : '');
  throw new InvalidArgument(
    `all predefined address pools have been fully subnetted${shown === '' ? '' : `: in use are ${shown}`}`,
  );
}

const roundUp = (value: bigint, step: bigint): bigint => ((value + step - 1n) / step) * step;

/** Refuses a subnet that a network has already, in Docker's words and with the name of that network. */
export function refuseOverlap(wanted: Prefix, taken: readonly TakenPrefix[]): void {
  const clash = taken.find(({ prefix }) => overlaps(prefix, wanted));
  if (clash === undefined) return;
  throw new PermissionDenied(
    `invalid pool request: Pool overlaps with other one on this address space: ${formatPrefix(wanted)} overlaps with ${formatPrefix(clash.prefix)} of ${clash.owner}`,
  );
}
