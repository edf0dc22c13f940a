// What the kernel answers to a message: an error number (0 is the acknowledgement), the request's header, and with NETLINK_EXT_ACK
// a sentence and the offset of what it disliked.

import { getSystemErrorName } from 'node:util';
import { DataLoss, EngineError, errnoCodes } from '../errdefs/index.ts';
import { AttributeMap } from './attributes.ts';
import { flag, messageHeaderBytes, messageType, type ReceivedMessage } from './message.ts';

/** The kernel's answer to one message. */
export interface Acknowledgement {
  /** 0 when it was done. */
  readonly errno: number;
  readonly sequence: number;
  /** The kernel's own sentence, where it gave one. */
  readonly message?: string;
  /** Where in the request the trouble is. */
  readonly offset?: number;
}

const extendedAck = { message: 1, offset: 2 } as const;

/** The name of an error number (`ENODEV`), or `errno N` for one that has none. */
export function errnoName(errno: number): string {
  if (!Number.isInteger(errno) || errno <= 0) return `errno ${errno}`;
  const name = getSystemErrorName(-errno);
  return name.startsWith('E') ? name : `errno ${errno}`;
}

/** A message that the kernel refused. */
export class NetlinkError extends EngineError {
  readonly errno: string;

  constructor(what: string, acknowledgement: Acknowledgement) {
    const errno = errnoName(acknowledgement.errno);
    const detail = acknowledgement.message === undefined ? '' : ` (${acknowledgement.message})`;
    super(errnoCodes[errno] ?? 'Unknown', `${what}: ${errno}${detail}`);
    this.errno = errno;
  }
}

export const isNetlinkError = (err: unknown, ...names: string[]): err is NetlinkError =>
  err instanceof NetlinkError && (names.length === 0 || names.includes(err.errno));

/** Reads an NLMSG_ERROR, or an NLMSG_DONE with its status. */
export function decodeAcknowledgement(message: ReceivedMessage): Acknowledgement {
  const { body } = message;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length < 4) {
    if (message.type === messageType.done) return { errno: 0, sequence: message.sequence };
    throw new DataLoss(`netlink error message of ${body.length} bytes`);
  }
  const errno = -view.getInt32(0, true);
  const attributes = extendedBytes(message, view);
  if (attributes === undefined) return { errno, sequence: message.sequence };
  const map = new AttributeMap(attributes);
  const text = map.text(extendedAck.message);
  const offset = map.u32(extendedAck.offset);
  return {
    errno,
    sequence: message.sequence,
    ...(text !== undefined && { message: text }),
    ...(offset !== undefined && { offset }),
  };
}

function extendedBytes(message: ReceivedMessage, view: DataView): Uint8Array | undefined {
  if ((message.flags & flag.ackTlvs) === 0) return undefined;
  if (message.type === messageType.done) return message.body.subarray(4);
  if (message.body.length < 4 + messageHeaderBytes) return undefined;
  const echoed = view.getUint32(4, true);
  const skip = (message.flags & flag.capped) !== 0 ? messageHeaderBytes : (echoed + 3) & ~3;
  if (skip < messageHeaderBytes || 4 + skip > message.body.length) {
    throw new DataLoss(`netlink error echoes ${echoed} bytes in a message of ${message.body.length}`);
  }
  return message.body.subarray(4 + skip);
}
