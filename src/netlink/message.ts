// Netlink messages (linux/netlink.h, struct nlmsghdr): u32 length, u16 type, u16 flags, u32 sequence, u32 port.

import { DataLoss } from '../errdefs/index.ts';
import { align, concat } from './attributes.ts';

export const flag = {
  request: 0x01,
  multi: 0x02,
  ack: 0x04,
  dump: 0x300,
  /** NEW messages: replace what exists, refuse when it exists, create when missing, append. */
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
  /** GET messages: the answer of a changed table is not whole. */
  dumpInterrupted: 0x10,
  /** DEL messages: everything below it too. */
  nonRecursive: 0x100,
  /** ERROR messages: the request is not echoed whole; there are attributes behind it. */
  capped: 0x100,
  ackTlvs: 0x200,
} as const;

export const messageType = { noop: 1, error: 2, done: 3, overrun: 4 } as const;

/** A message to send. `what` says in words what it asks for; it appears in errors and in `--explain`. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly body: Uint8Array;
  readonly what: string;
}

/** A message as received. The body is a view of the received bytes. */
export interface ReceivedMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly port: number;
  readonly body: Uint8Array;
}

export const messageHeaderBytes = 16;

/** The bytes of one message, padded so that another may follow. */
export function encodeMessage(message: Omit<NetlinkMessage, 'what'>, sequence = 0): Uint8Array {
  const length = messageHeaderBytes + message.body.length;
  const out = new Uint8Array(align(length));
  const view = new DataView(out.buffer);
  view.setUint32(0, length, true);
  view.setUint16(4, message.type, true);
  view.setUint16(6, message.flags, true);
  view.setUint32(8, sequence, true);
  out.set(message.body, messageHeaderBytes);
  return out;
}

/** The bytes of several messages in a row, numbered from `firstSequence`. */
export function encodeMessages(messages: readonly NetlinkMessage[], firstSequence = 1): Uint8Array {
  return concat(messages.map((message, index) => encodeMessage(message, (firstSequence + index) >>> 0)));
}

/** Splits received bytes into messages; anything that does not add up is DataLoss. */
export function decodeMessages(bytes: Uint8Array): ReceivedMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out: ReceivedMessage[] = [];
  let offset = 0;
  while (offset + messageHeaderBytes <= bytes.length) {
    const length = view.getUint32(offset, true);
    if (length < messageHeaderBytes || offset + length > bytes.length) {
      throw new DataLoss(`netlink message at byte ${offset} claims ${length} bytes of ${bytes.length - offset}`);
    }
    out.push({
      type: view.getUint16(offset + 4, true),
      flags: view.getUint16(offset + 6, true),
      sequence: view.getUint32(offset + 8, true),
      port: view.getUint32(offset + 12, true),
      body: bytes.subarray(offset + messageHeaderBytes, offset + length),
    });
    offset += align(length);
  }
  if (offset < bytes.length) throw new DataLoss(`${bytes.length - offset} stray bytes after the netlink messages`);
  return out;
}
