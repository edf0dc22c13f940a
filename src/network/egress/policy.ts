// Egress policy: where containers of a network, or one container, may go. `deny` lets nothing out; otherwise a list, separated by
// commas or blanks, of what is let out:
//
//     example.com            a name, on every port          10.0.0.0/8             addresses, on every port
//     *.example.com:443      names below it, on one port    192.0.2.7:5432/tcp     one address, one port, one protocol
//     [fd00::/8]:53/udp      IPv6 in brackets

import { isIP } from 'node:net';
import { InvalidArgument } from '../../errdefs/index.ts';
import type { PortProtocol } from '../endpoint.ts';
import { type Prefix, parseAddress, parseCidr, prefixOf } from '../ipam/prefix.ts';

/** A port and protocol; absent means every one. */
export interface PortLimit {
  readonly port?: number;
  readonly protocol?: PortProtocol;
}

export type AllowedDestination =
  | (PortLimit & { readonly kind: 'prefix'; readonly prefix: Prefix })
  /** `name` in lower case; `below`: names that end in it. */
  | (PortLimit & { readonly kind: 'name'; readonly name: string; readonly below: boolean });

export interface EgressPolicy {
  readonly allowed: readonly AllowedDestination[];
}

/** Reads a policy; undefined where there is none (`''` and `allow`). */
export function parseEgressPolicy(text: string | undefined): EgressPolicy | undefined {
  const words = (text ?? '').split(/[\s,]+/).filter(word => word !== '');
  if (words.length === 0 || (words.length === 1 && words[0] === 'allow')) return undefined;
  if (words.length === 1 && words[0] === 'deny') return { allowed: [] };
  return { allowed: words.map(parseDestination) };
}

function parseDestination(word: string): AllowedDestination {
  const match =
    /^(?:\[([^\]]+)\]|([^:[\]]+?)|([0-9a-fA-F:]+(?:\/\d+)?))(?::(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(word) ?? undefined;
  const host = match?.[1] ?? match?.[2] ?? match?.[3];
  if (host === undefined) throw new InvalidArgument(`invalid egress destination "${word}"`);
  const port = match?.[4] === undefined ? undefined : Number(match[4]);
  if (port !== undefined && (port < 1 || port > 65535))
    throw new InvalidArgument(`invalid port in egress destination "${word}"`);
  const protocol = match?.[5] as PortProtocol | undefined;
  const limit = { ...(port !== undefined && { port }), ...(protocol !== undefined && { protocol }) };
  const prefix = prefixIn(host);
  if (prefix !== undefined) return { kind: 'prefix', prefix, ...limit };
  const name = host.toLowerCase().replace(/\.$/, '');
  const below = name.startsWith('*.');
  const plain = below ? name.slice(2) : name;
  if (
    !/^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(plain) ||
    /^[\d.]+$/.test(plain)
  ) {
    throw new InvalidArgument(`invalid egress destination "${word}"`);
  }
  return { kind: 'name', name: plain, below, ...limit };
}

function prefixIn(host: string): Prefix | undefined {
  if (isIP(host) !== 0) {
    const { bits, value } = parseAddress(host);
    return prefixOf(value, bits, bits);
  }
  const cidr = parseCidr(host);
  return cidr === undefined ? undefined : prefixOf(cidr.value, cidr.bits, cidr.length);
}

/** The parts of a policy that let this name out; none when it must not be asked for. */
export function allowedName(policy: EgressPolicy, name: string): AllowedDestination[] {
  return policy.allowed.filter(
    entry => entry.kind === 'name' && (entry.below ? name.endsWith(`.${entry.name}`) : entry.name === name),
  );
}
