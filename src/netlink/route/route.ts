// rtnetlink: routes (linux/rtnetlink.h, struct rtmsg).

import { DataLoss } from '../../errdefs/index.ts';
import { decodeAddress, encodeAddress, family, familyOf } from '../address.ts';
import { AttributeMap, attribute, concat, u32 } from '../attributes.ts';
import { flag, type NetlinkMessage, type ReceivedMessage } from '../message.ts';

export const routeMessage = { new: 24, delete: 25, get: 26 } as const;

const rta = { destination: 1, outputLink: 4, gateway: 5, priority: 6, preferredSource: 7, table: 15 } as const;
export const routeTable = { default: 253, main: 254, local: 255 } as const;
export const routeType = { unicast: 1, local: 2, broadcast: 3, blackhole: 6, unreachable: 7 } as const;
const scopeLink = 253;
const protocolStatic = 4;

/** A route; without a destination it is the default route. */
export interface Route {
  readonly family: number;
  readonly destination?: string;
  readonly prefixLength: number;
  readonly gateway?: string;
  /** Index of the device the packets leave by. */
  readonly link?: number;
  readonly metric?: number;
  readonly source?: string;
  readonly table?: number;
  readonly type?: number;
}

/** struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type, u32 flags. */
function header(route: Route): Uint8Array {
  const direct = route.gateway === undefined && route.family === family.inet;
  const table = route.table ?? routeTable.main;
  const out = new Uint8Array(12);
  out.set([
    route.family,
    route.prefixLength,
    0,
    0,
    table < 256 ? table : 0,
    protocolStatic,
    direct ? scopeLink : 0,
    route.type ?? routeType.unicast,
  ]);
  return out;
}

function body(route: Route): Uint8Array {
  const parts = [header(route)];
  if (route.destination !== undefined) parts.push(attribute(rta.destination, encodeAddress(route.destination)));
  if (route.gateway !== undefined) parts.push(attribute(rta.gateway, encodeAddress(route.gateway)));
  if (route.link !== undefined) parts.push(u32(rta.outputLink, route.link));
  if (route.metric !== undefined) parts.push(u32(rta.priority, route.metric));
  if (route.source !== undefined) parts.push(attribute(rta.preferredSource, encodeAddress(route.source)));
  if (route.table !== undefined && route.table > 255) parts.push(u32(rta.table, route.table));
  return concat(parts);
}

const words = (route: Route): string =>
  `${route.destination === undefined ? 'default route' : `route to ${route.destination}/${route.prefixLength}`}${
    route.gateway === undefined ? '' : ` via ${route.gateway}`
  }`;

export function addRoute(route: Route, options: { replace?: boolean } = {}): NetlinkMessage {
  return {
    type: routeMessage.new,
    flags: flag.request | flag.ack | flag.create | (options.replace === true ? flag.replace : flag.exclusive),
    body: body(route),
    what: `add ${words(route)}`,
  };
}

export function deleteRoute(route: Route): NetlinkMessage {
  return {
    type: routeMessage.delete,
    flags: flag.request | flag.ack,
    body: body(route),
    what: `delete ${words(route)}`,
  };
}

export const defaultRoute = (gateway: string, link?: number): Route => ({
  family: familyOf(gateway),
  prefixLength: 0,
  gateway,
  ...(link !== undefined && { link }),
});

/** All routes of all tables; `family` 0 means both. */
export function listRoutes(addressFamily = 0): NetlinkMessage {
  const head = new Uint8Array(12);
  head[0] = addressFamily;
  return { type: routeMessage.get, flags: flag.request | flag.dump, body: head, what: 'list routes' };
}

export function decodeRoute(message: ReceivedMessage): Route {
  const bytes = message.body;
  if (bytes.length < 12) throw new DataLoss(`route message of ${bytes.length} bytes`);
  const map = new AttributeMap(bytes.subarray(12));
  const address = (type: number): string | undefined => {
    const value = map.bytes(type);
    if (value === undefined) return undefined;
    if (value.length !== 4 && value.length !== 16) throw new DataLoss(`route with an address of ${value.length} bytes`);
    return decodeAddress(value);
  };
  const destination = address(rta.destination);
  const gateway = address(rta.gateway);
  const source = address(rta.preferredSource);
  const link = map.u32(rta.outputLink);
  const metric = map.u32(rta.priority);
  return {
    family: bytes[0] ?? 0,
    prefixLength: bytes[1] ?? 0,
    table: map.u32(rta.table) ?? bytes[4] ?? 0,
    type: bytes[7] ?? 0,
    ...(destination !== undefined && { destination }),
    ...(gateway !== undefined && { gateway }),
    ...(link !== undefined && { link }),
    ...(metric !== undefined && { metric }),
    ...(source !== undefined && { source }),
  };
}
