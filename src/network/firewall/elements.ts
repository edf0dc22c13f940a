// What networks and ports put into the sets and maps of the table.

import { isIPv4 } from 'node:net';
import { concat, encodeAddress, type SetElement } from '../../netlink/index.ts';
import type { PortProtocol, PublishedPort } from '../endpoint.ts';
import { formatAddress, lastAddress, type Prefix } from '../ipam/prefix.ts';
import { setName } from './set-names.ts';

export const protocolNumber: Readonly<Record<PortProtocol, number>> = { tcp: 6, udp: 17, sctp: 132 };

/** A bridge, as the firewall needs to know it. */
export interface FirewallBridge {
  readonly index: number;
  readonly name: string;
  readonly internal: boolean;
  /** Its subnets, of both families. */
  readonly subnets: readonly Prefix[];
  readonly masquerade4: boolean;
  readonly masquerade6: boolean;
  /** Instead of whatever address of this machine is nearest. */
  readonly sourceAddress4?: string;
  readonly sourceAddress6?: string;
  /** Every address of it may be reached from outside (gateway mode nat-unprotected). */
  readonly unprotected: boolean;
  /** Held to an egress policy. */
  readonly restricted: boolean;
}

/** A published port with where it leads to. */
export interface FirewallPort extends PublishedPort {
  /** Address of the container, of the same family as `hostIp`. */
  readonly target: string;
  /** No NAT: the container's own address and port are opened instead (gateway mode routed). */
  readonly routed: boolean;
}

/** Elements, by the set they belong to. */
export type Elements = Readonly<Record<string, readonly SetElement[]>>;

const u32 = (value: number): Uint8Array => {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value, true);
  return out;
};
const port = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff, 0, 0);
const protocol = (name: PortProtocol): Uint8Array => Uint8Array.of(protocolNumber[name], 0, 0, 0);

export function bridgeElements(bridge: FirewallBridge): Elements {
  const self: SetElement[] = [{ key: u32(bridge.index) }];
  return {
    [setName.bridges]: self,
    [setName.pairs]: [{ key: concat([u32(bridge.index), u32(bridge.index)]) }],
    [setName.own4]: bridge.subnets.filter(({ bits }) => bits === 32).map(prefix => ownRange(prefix, bridge.index)),
    [setName.own6]: bridge.subnets.filter(({ bits }) => bits === 128).map(prefix => ownRange(prefix, bridge.index)),
    ...(bridge.internal && { [setName.internal]: self }),
    ...(bridge.masquerade4 && { [setName.masquerade4]: self }),
    ...(bridge.masquerade6 && { [setName.masquerade6]: self }),
    ...(bridge.sourceAddress4 !== undefined && { [setName.snat4]: sourceElement(bridge, bridge.sourceAddress4) }),
    ...(bridge.sourceAddress6 !== undefined && { [setName.snat6]: sourceElement(bridge, bridge.sourceAddress6) }),
    ...(bridge.restricted && { [setName.restricted]: self }),
    ...(bridge.unprotected && { [setName.routed]: self }),
  };
}

const sourceElement = ({ index }: FirewallBridge, address: string): SetElement[] => [
  { key: u32(index), data: encodeAddress(address) },
];

function ownRange(prefix: Prefix, index: number): SetElement {
  const end = (address: bigint) => concat([encodeAddress(formatAddress(address, prefix.bits)), u32(index)]);
  return { key: end(prefix.base), keyEnd: end(lastAddress(prefix)) };
}

export function portElements(published: FirewallPort): Elements {
  const target = encodeAddress(published.target);
  const four = isIPv4(published.target);
  if (published.routed) {
    const key = concat([protocol(published.protocol), target, port(published.containerPort)]);
    return { [four ? setName.open4 : setName.open6]: [{ key }] };
  }
  const data = concat([target, port(published.containerPort)]);
  if (published.hostIp === '0.0.0.0' || published.hostIp === '::') {
    const key = concat([protocol(published.protocol), port(published.hostPort)]);
    return { [four ? setName.published4 : setName.published6]: [{ key, data }] };
  }
  const key = concat([protocol(published.protocol), encodeAddress(published.hostIp), port(published.hostPort)]);
  return { [four ? setName.publishedAt4 : setName.publishedAt6]: [{ key, data }] };
}

export function merge(all: readonly Elements[]): Elements {
  const out = new Map<string, SetElement[]>();
  for (const [name, list] of all.flatMap(elements => Object.entries(elements))) {
    const known = out.get(name);
    if (known === undefined) out.set(name, [...list]);
    else known.push(...list);
  }
  return Object.fromEntries(out);
}
