// rtnetlink: addresses of devices (linux/if_addr.h).

import { DataLoss } from '../../errdefs/index.ts';
import { decodeAddress, encodeAddress, familyOf } from '../address.ts';
import { AttributeMap, attribute, concat, u32 } from '../attributes.ts';
import { flag, type NetlinkMessage, type ReceivedMessage } from '../message.ts';

export const addressMessage = { new: 20, delete: 21, get: 22 } as const;

const addr = { address: 1, local: 2, broadcast: 4, flags: 8 } as const;
export const addressFlag = {
  noDuplicateDetection: 0x02,
  tentative: 0x40,
  permanent: 0x80,
  noPrefixRoute: 0x200,
} as const;

/** An address on a device. */
export interface InterfaceAddress {
  readonly index: number;
  readonly address: string;
  readonly prefixLength: number;
  readonly broadcast?: string;
  readonly flags?: number;
  /** 0 global, 253 link, 254 host. */
  readonly scope?: number;
}

/** struct ifaddrmsg: family, prefix length, flags, scope, u32 index. */
function header(address: InterfaceAddress): Uint8Array {
  const out = new Uint8Array(8);
  const view = new DataView(out.buffer);
  view.setUint8(0, familyOf(address.address));
  view.setUint8(1, address.prefixLength);
  view.setUint8(3, address.scope ?? 0);
  view.setUint32(4, address.index, true);
  return out;
}

function body(address: InterfaceAddress): Uint8Array {
  const bytes = encodeAddress(address.address);
  return concat([
    header(address),
    attribute(addr.local, bytes),
    attribute(addr.address, bytes),
    ...(address.broadcast === undefined ? [] : [attribute(addr.broadcast, encodeAddress(address.broadcast))]),
    ...(address.flags === undefined ? [] : [u32(addr.flags, address.flags)]),
  ]);
}

/** Adds an address; with `replace` an existing one is fine. */
export function addAddress(address: InterfaceAddress, options: { replace?: boolean } = {}): NetlinkMessage {
  return {
    type: addressMessage.new,
    flags: flag.request | flag.ack | flag.create | (options.replace === true ? flag.replace : flag.exclusive),
    body: body(address),
    what: `add address ${address.address}/${address.prefixLength} to link ${address.index}`,
  };
}

export function deleteAddress(address: InterfaceAddress): NetlinkMessage {
  return {
    type: addressMessage.delete,
    flags: flag.request | flag.ack,
    body: body(address),
    what: `delete address ${address.address}/${address.prefixLength} from link ${address.index}`,
  };
}

/** All addresses of all devices; `family` 0 means both. */
export function listAddresses(family = 0): NetlinkMessage {
  const head = new Uint8Array(8);
  head[0] = family;
  return { type: addressMessage.get, flags: flag.request | flag.dump, body: head, what: 'list addresses' };
}

export function decodeInterfaceAddress(message: ReceivedMessage): InterfaceAddress {
  const bytes = message.body;
  if (bytes.length < 8) throw new DataLoss(`address message of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const map = new AttributeMap(bytes.subarray(8));
  const address = map.bytes(addr.local) ?? map.bytes(addr.address);
  if (address === undefined || (address.length !== 4 && address.length !== 16)) {
    throw new DataLoss('address message without an address');
  }
  const broadcast = map.bytes(addr.broadcast);
  return {
    index: view.getUint32(4, true),
    address: decodeAddress(address),
    prefixLength: view.getUint8(1),
    flags: map.u32(addr.flags) ?? view.getUint8(2),
    scope: view.getUint8(3),
    ...(broadcast?.length === 4 && { broadcast: decodeAddress(broadcast) }),
  };
}
