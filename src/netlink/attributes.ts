// Netlink attributes (linux/netlink.h, struct nlattr): u16 length, u16 type, payload, padded to four bytes. Numbers are in the
// host's byte order (little endian on every machine we run on) unless the protocol says otherwise; nf_tables says big endian.

import { DataLoss } from '../errdefs/index.ts';

/** An attribute as found in a message. The payload is a view, not a copy. */
export interface Attribute {
  readonly type: number;
  /** True when the sender marked it as holding attributes (NLA_F_NESTED); old protocols do not mark it. */
  readonly nested: boolean;
  readonly payload: Uint8Array;
}

const headerBytes = 4;
const nestedFlag = 0x8000;
const byteOrderFlag = 0x4000;
const typeMask = 0x3fff;

/** The length with its padding: netlink aligns everything to four bytes. */
export const align = (length: number): number => (length + 3) & ~3;

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** An attribute with its header and padding. */
export function attribute(type: number, payload: Uint8Array): Uint8Array {
  const length = headerBytes + payload.length;
  if (length > 0xffff) throw new RangeError(`netlink attribute ${type} is ${payload.length} bytes long`);
  const out = new Uint8Array(align(length));
  const view = new DataView(out.buffer);
  view.setUint16(0, length, true);
  view.setUint16(2, type, true);
  out.set(payload, headerBytes);
  return out;
}

export const nested = (type: number, children: readonly Uint8Array[]): Uint8Array =>
  attribute(type | nestedFlag, concat(children));

export const flagAttribute = (type: number): Uint8Array => attribute(type, new Uint8Array(0));

export const u8 = (type: number, value: number): Uint8Array => attribute(type, Uint8Array.of(value));

export function u16(type: number, value: number, littleEndian = true): Uint8Array {
  const payload = new Uint8Array(2);
  new DataView(payload.buffer).setUint16(0, value, littleEndian);
  return attribute(type, payload);
}

export function u32(type: number, value: number, littleEndian = true): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, value >>> 0, littleEndian);
  return attribute(type, payload);
}

export function u64(type: number, value: bigint, littleEndian = true): Uint8Array {
  const payload = new Uint8Array(8);
  new DataView(payload.buffer).setBigUint64(0, value, littleEndian);
  return attribute(type, payload);
}

/** A string with the NUL that the kernel expects. */
export const text = (type: number, value: string): Uint8Array => attribute(type, textBytes(value));

export function textBytes(value: string): Uint8Array {
  if (value.includes('\0')) throw new RangeError(`a netlink string cannot hold NUL: ${JSON.stringify(value)}`);
  return new TextEncoder().encode(`${value}\0`);
}

/** Splits bytes into attributes; anything that does not add up is DataLoss. */
export function decodeAttributes(bytes: Uint8Array): Attribute[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out: Attribute[] = [];
  let offset = 0;
  while (offset + headerBytes <= bytes.length) {
    const length = view.getUint16(offset, true);
    const type = view.getUint16(offset + 2, true);
    if (length < headerBytes || offset + length > bytes.length) {
      throw new DataLoss(`netlink attribute at byte ${offset} claims ${length} bytes of ${bytes.length - offset}`);
    }
    out.push({
      type: type & typeMask,
      nested: (type & nestedFlag) !== 0 && (type & byteOrderFlag) === 0,
      payload: bytes.subarray(offset + headerBytes, offset + length),
    });
    offset += align(length);
  }
  // What is left is padding of a caller that rounded up; more than that is a broken message.
  if (offset < bytes.length) throw new DataLoss(`${bytes.length - offset} stray bytes after the netlink attributes`);
  return out;
}

/** Attributes by type; of repeated ones the last wins, as in the kernel's own nla_parse. */
export class AttributeMap {
  readonly #byType = new Map<number, Attribute>();

  constructor(bytes: Uint8Array) {
    for (const attribute of decodeAttributes(bytes)) this.#byType.set(attribute.type, attribute);
  }

  has(type: number): boolean {
    return this.#byType.has(type);
  }

  bytes(type: number): Uint8Array | undefined {
    return this.#byType.get(type)?.payload;
  }

  u8(type: number): number | undefined {
    return this.#fixed(type, 1)?.getUint8(0);
  }

  u16(type: number, littleEndian = true): number | undefined {
    return this.#fixed(type, 2)?.getUint16(0, littleEndian);
  }

  u32(type: number, littleEndian = true): number | undefined {
    return this.#fixed(type, 4)?.getUint32(0, littleEndian);
  }

  u64(type: number, littleEndian = true): bigint | undefined {
    return this.#fixed(type, 8)?.getBigUint64(0, littleEndian);
  }

  text(type: number): string | undefined {
    const payload = this.bytes(type);
    return payload === undefined ? undefined : decodeText(payload);
  }

  map(type: number): AttributeMap | undefined {
    const payload = this.bytes(type);
    return payload === undefined ? undefined : new AttributeMap(payload);
  }

  list(type: number): Attribute[] {
    const payload = this.bytes(type);
    return payload === undefined ? [] : decodeAttributes(payload);
  }

  #fixed(type: number, length: number): DataView | undefined {
    const payload = this.bytes(type);
    if (payload === undefined) return undefined;
    if (payload.length < length) {
      throw new DataLoss(`netlink attribute ${type} has ${payload.length} bytes where ${length} are needed`);
    }
    return new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  }
}

/** A string up to its NUL, or to the end where the kernel sends none. */
export function decodeText(payload: Uint8Array): string {
  const end = payload.indexOf(0);
  return new TextDecoder().decode(end === -1 ? payload : payload.subarray(0, end));
}
