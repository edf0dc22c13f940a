// A policy as elements of our table's sets.

import { concat, encodeAddress, type SetElement } from '../../netlink/index.ts';
import { type Elements, protocolNumber } from '../firewall/elements.ts';
import { setName } from '../firewall/set-names.ts';
import { contains, formatAddress, lastAddress, type Prefix } from '../ipam/prefix.ts';
import type { AllowedDestination, PortLimit } from './policy.ts';

/** Whose policy: the network's or the container's own. A connection must please both. */
export type Scope = 'network' | 'container';

/** One end of a range of sources and destinations, with protocol and port; 0 stands for any. */
function end(source: bigint, destination: bigint, bits: 32 | 128, limit: PortLimit): Uint8Array {
  const protocol = limit.protocol === undefined ? 0 : protocolNumber[limit.protocol];
  const port = limit.port ?? 0;
  return concat([
    encodeAddress(formatAddress(source, bits)),
    encodeAddress(formatAddress(destination, bits)),
    Uint8Array.of(protocol, 0, 0, 0),
    Uint8Array.of(port >> 8, port & 0xff, 0, 0),
  ]);
}

/** These sources may go there; for a time only, where one is given. */
export function allowElement(sources: Prefix, destination: Prefix, limit: PortLimit, timeoutMs?: number): SetElement {
  const { bits } = sources;
  return {
    key: end(sources.base, destination.base, bits, limit),
    keyEnd: end(lastAddress(sources), lastAddress(destination), bits, limit),
    ...(timeoutMs !== undefined && { timeoutMs: BigInt(timeoutMs) }),
  };
}

export function allowedSet(scope: Scope, bits: 32 | 128): string {
  if (scope === 'network') return bits === 32 ? setName.allowed4 : setName.allowed6;
  return bits === 32 ? setName.ownAllowed4 : setName.ownAllowed6;
}

/** A single container whose packets are held to its policy. */
export const boundSource = (prefix: Prefix): Elements => ({
  [prefix.bits === 32 ? setName.bound4 : setName.bound6]: [
    { key: encodeAddress(formatAddress(prefix.base, prefix.bits)) },
  ],
});

export const covers = (wide: AllowedDestination, prefix: Prefix, limit: PortLimit): boolean =>
  wide.kind === 'prefix' &&
  wide.port === limit.port &&
  wide.protocol === limit.protocol &&
  wide.prefix.length <= prefix.length &&
  contains(wide.prefix, prefix.base, prefix.bits);

/** The part of a policy that is known beforehand: its addresses. Of ranges with the same limit one in another is left out, for the kernel takes no ranges that overlap. */
export function allowedElements(scope: Scope, allowed: readonly AllowedDestination[], sources: Prefix): Elements {
  const elements = allowed.flatMap((entry, i) => {
    if (entry.kind !== 'prefix' || entry.prefix.bits !== sources.bits) return [];
    const within = allowed.some(
      (other, j) => i !== j && covers(other, entry.prefix, entry) && (j < i || !sameRange(other, entry)),
    );
    return within ? [] : [allowElement(sources, entry.prefix, entry)];
  });
  return elements.length === 0 ? {} : { [allowedSet(scope, sources.bits)]: elements };
}

const sameRange = (a: AllowedDestination, b: AllowedDestination): boolean =>
  a.kind === 'prefix' && b.kind === 'prefix' && a.prefix.length === b.prefix.length && a.prefix.base === b.prefix.base;
