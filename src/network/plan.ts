// What makes a container's network, as bytes: the launcher sends them, the disassembler shows them.

import { InvalidArgument } from '../errdefs/index.ts';
import {
  addAddress,
  addRoute,
  decodeAttributes,
  defaultRoute,
  encodeMessage,
  messageHeaderBytes,
  type NamespaceRef,
  type NetlinkMessage,
  setLink,
} from '../netlink/index.ts';
import type { Endpoint } from './endpoint.ts';
import { formatAddress, lastAddress, parseAddress, prefixOf } from './ipam/prefix.ts';
import { option } from './network.ts';

/** Messages to send in the network namespace of the host, when the container's init exists. */
export interface HostMessages {
  readonly bytes: Uint8Array;
  /** Where the u32 of the init's process id must be put (little endian). */
  readonly pidOffsets: readonly number[];
  readonly comment: string;
}

/** A sysctl to write in the container's network namespace: `net.ipv6.conf.eth0.disable_ipv6`. */
export interface PlannedSysctl {
  readonly path: string;
  readonly value: string;
  readonly comment: string;
}

/**
 * Everything about a container's network that must be done when its namespace exists; rtnetlink messages each ask for an
 * acknowledgement. Order: `host`, `sysctls`, `inside`. Nothing undoes it: the kernel removes the devices with the namespace.
 */
export interface NetnsPlan {
  readonly host: readonly HostMessages[];
  readonly sysctls: readonly PlannedSysctl[];
  readonly inside: readonly { readonly bytes: Uint8Array; readonly comment: string }[];
}

const loopbackUp = setLink({ index: 1, up: true });

const inside = (message: NetlinkMessage) => ({ bytes: encodeMessage(message), comment: message.what });

/** A namespace with only the loopback, for network `none`. */
export const loopbackPlan = (): NetnsPlan => ({ host: [], sysctls: [], inside: [inside(loopbackUp)] });

/** The plan for a new namespace with these endpoints; `createDevice` gives the messages that make each one's device. */
export function planNamespace(
  endpoints: readonly Endpoint[],
  createDevice: (endpoint: Endpoint, namespace: NamespaceRef) => NetlinkMessage[],
): NetnsPlan {
  return {
    host: endpoints.flatMap(endpoint => createDevice(endpoint, { pid: 0 }).map(toHost)),
    sysctls: endpoints.flatMap(endpointSysctls),
    inside: [loopbackUp, ...endpoints.flatMap(endpoint => configureDevice(endpoint, endpoints))].map(inside),
  };
}

function toHost(message: NetlinkMessage): HostMessages {
  const bytes = encodeMessage(message);
  return { bytes, pidOffsets: namespacePidOffsets(bytes), comment: message.what };
}

/** The messages that make it usable, sent inside. Not the loopback. */
export function configureDevice(endpoint: Endpoint, all: readonly Endpoint[]): NetlinkMessage[] {
  const index = endpoint.interfaceIndex;
  const messages = [setLink({ index, up: true })];
  if (endpoint.ipv4 !== undefined) {
    const { address, prefixLength } = endpoint.ipv4;
    const broadcast = broadcastOf(address, prefixLength);
    messages.push(addAddress({ index, address, prefixLength, ...(broadcast !== undefined && { broadcast }) }));
  }
  if (endpoint.ipv6 !== undefined) {
    const { address, prefixLength } = endpoint.ipv6;
    messages.push(addAddress({ index, address, prefixLength, flags: 0x02 })); // no duplicate detection: IPAM knows
  }
  for (const address of endpoint.config.linkLocalAddresses ?? []) {
    messages.push(addAddress({ index, address, prefixLength: address.includes(':') ? 64 : 16 }));
  }
  messages.push(...defaultRoutes(endpoint, all));
  return messages;
}

/** The default routes that leave by this endpoint. */
export function defaultRoutes(endpoint: Endpoint, all: readonly Endpoint[]): NetlinkMessage[] {
  const index = endpoint.interfaceIndex;
  const out: NetlinkMessage[] = [];
  for (const version of ['ipv4', 'ipv6'] as const) {
    const gateway = endpoint[version]?.gateway;
    if (gateway !== undefined && gatewayEndpoint(all, version)?.id === endpoint.id) {
      out.push(addRoute(defaultRoute(gateway, index)));
    }
  }
  return out;
}

/** The endpoint that gives the default route: highest priority, then one with both families, then the first by network name, as Docker chooses. */
export function gatewayEndpoint(
  endpoints: readonly Endpoint[],
  version: 'ipv4' | 'ipv6' = 'ipv4',
): Endpoint | undefined {
  const candidates = endpoints.filter(endpoint => endpoint[version]?.gateway !== undefined);
  return candidates.sort(
    (a, b) =>
      b.gatewayPriority - a.gatewayPriority ||
      Number(isDualStack(b)) - Number(isDualStack(a)) ||
      (a.networkName < b.networkName ? -1 : 1),
  )[0];
}

const isDualStack = ({ ipv4, ipv6 }: Endpoint): boolean => ipv4?.gateway !== undefined && ipv6?.gateway !== undefined;

function broadcastOf(address: string, prefixLength: number): string | undefined {
  if (prefixLength > 30) return undefined;
  const { value, bits } = parseAddress(address);
  return formatAddress(lastAddress(prefixOf(value, bits, prefixLength)), bits);
}

function endpointSysctls(endpoint: Endpoint): PlannedSysctl[] {
  const asked = interfaceSysctls(endpoint.config.driverOptions ?? {}, endpoint.interfaceName);
  const name = `/proc/sys/net/ipv6/conf/${endpoint.interfaceName}/disable_ipv6`;
  if (endpoint.ipv6 !== undefined || asked.some(({ path }) => path === name)) return asked;
  return [
    ...asked,
    {
      path: name,
      value: '1',
      comment: `no IPv6 on ${endpoint.interfaceName}`,
    },
  ];
}

/** `com.docker.network.endpoint.sysctls`: `net.ipv4.conf.IFNAME.log_martians=1,…`. Only those of the interface itself. */
export function interfaceSysctls(options: Readonly<Record<string, string>>, interfaceName: string): PlannedSysctl[] {
  const text = options[option.endpointSysctls] ?? '';
  return text
    .split(',')
    .filter(entry => entry !== '')
    .map(entry => {
      const match = /^net\.(ipv4|ipv6|mpls)\.(conf|neigh|input)\.IFNAME\.([a-z0-9_]+)=(.+)$/.exec(entry);
      if (match === null) throw new InvalidArgument(`invalid endpoint sysctl setting ${JSON.stringify(entry)}`);
      const [, family, kind, key, value = ''] = match;
      return {
        path: `/proc/sys/net/${family}/${kind}/${interfaceName}/${key}`,
        value,
        comment: `sysctl of the endpoint on ${interfaceName}`,
      };
    });
}

/** Offsets of IFLA_NET_NS_PID in a link message: of the device itself, and of a veth's peer. */
export function namespacePidOffsets(message: Uint8Array): number[] {
  const [headerBytes, pidType, linkInfo, infoData, peer] = [16, 19, 18, 2, 1];
  const isNewLink = message[4] === 16;
  if (!isNewLink) return [];
  const out: number[] = [];
  const walk = (bytes: Uint8Array, path: readonly number[]): void => {
    for (const { type, payload } of decodeAttributes(bytes)) {
      if (type === pidType && (path.length === 0 || path[0] === linkInfo)) {
        if (path.length === 0 || path.length === 3) out.push(payload.byteOffset - message.byteOffset);
      } else if (path.length === 0 && type === linkInfo) walk(payload, [linkInfo]);
      else if (path.length === 1 && type === infoData) walk(payload, [linkInfo, infoData]);
      else if (path.length === 2 && type === peer && payload.length > headerBytes) {
        walk(payload.subarray(headerBytes), [linkInfo, infoData, peer]);
      }
    }
  };
  walk(message.subarray(messageHeaderBytes + headerBytes), []);
  return out;
}
