// ctnetlink (linux/netfilter/nfnetlink_conntrack.h): forgetting tracked connections, so that a stream of UDP packets that
// began before a port was published, or goes on after, meets the rules anew.

import { encodeAddress, family, familyOf } from '../address.ts';
import { AttributeMap, attribute, concat, nested, u8, u16, u32 } from '../attributes.ts';
import { flag, type NetlinkMessage, type ReceivedMessage } from '../message.ts';

const subsystem = 1;
const deleteMessage = 2;
const getMessage = 1;
const ct = { original: 1, reply: 2, filter: 25 } as const;
const tuple = { ip: 1, proto: 2 } as const;
const ip = { source4: 1, destination4: 2, source6: 3, destination6: 4 } as const;
const proto = { number: 1, sourcePort: 2, destinationPort: 3 } as const;
const filter = { originalFlags: 1, replyFlags: 2 } as const;
/** Bits of CTA_FILTER: which parts of the tuple must agree. */
const filterFlag = { destinationAddress: 2, protocol: 8, destinationPort: 32, sourceAddress: 1 } as const;

/** Which connections: those first sent to this port (and address), as the sender wrote it, before any NAT. */
export interface ConnectionFilter {
  readonly family: number;
  readonly protocol: number;
  readonly destinationPort: number;
  readonly destination?: string;
}

/** Forgets all connections that were first sent to a port. Needs Linux 5.8; older ones answer EOPNOTSUPP or EINVAL. */
export function forgetConnections(which: ConnectionFilter): NetlinkMessage {
  let bits = filterFlag.protocol | filterFlag.destinationPort;
  const parts: Uint8Array[] = [];
  if (which.destination !== undefined) {
    bits |= filterFlag.destinationAddress;
    const type = familyOf(which.destination) === family.inet ? ip.destination4 : ip.destination6;
    parts.push(nested(tuple.ip, [attribute(type, encodeAddress(which.destination))]));
  }
  parts.push(
    nested(tuple.proto, [u8(proto.number, which.protocol), u16(proto.destinationPort, which.destinationPort, false)]),
  );
  return {
    type: (subsystem << 8) | deleteMessage,
    flags: flag.request | flag.ack,
    body: concat([
      Uint8Array.of(which.family, 1, 0, 0),
      nested(ct.original, parts),
      nested(ct.filter, [u32(filter.originalFlags, bits), u32(filter.replyFlags, 0)]),
    ]),
    what: `forget connections to port ${which.destinationPort}`,
  };
}

export const listConnections = (addressFamily = 0): NetlinkMessage => ({
  type: (subsystem << 8) | getMessage,
  flags: flag.request | flag.dump,
  body: Uint8Array.of(addressFamily, 0, 0, 0),
  what: 'list connections',
});

/** The original direction of a tracked connection. */
export function decodeConnection(received: ReceivedMessage): { protocol: number; destinationPort: number } {
  const original = new AttributeMap(received.body.subarray(4)).map(ct.original)?.map(tuple.proto);
  return {
    protocol: original?.u8(proto.number) ?? 0,
    destinationPort: original?.u16(proto.destinationPort, false) ?? 0,
  };
}
