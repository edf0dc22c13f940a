// Address arithmetic, the same for both families: an address is a bigint of 32 or 128 bits.

import { isIP } from 'node:net';
import { InvalidArgument } from '../../errdefs/index.ts';
import { decodeAddress, encodeAddress } from '../../netlink/index.ts';

export type AddressBits = 32 | 128;

/** A subnet: its first address and the length of its prefix. */
export interface Prefix {
  readonly bits: AddressBits;
  readonly base: bigint;
  readonly length: number;
}

export function parseAddress(text: string): { bits: AddressBits; value: bigint } {
  const bytes = encodeAddress(text);
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return { bits: bytes.length === 4 ? 32 : 128, value };
}

export function formatAddress(value: bigint, bits: AddressBits): string {
  const bytes = new Uint8Array(bits / 8);
  for (let i = bytes.length - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return decodeAddress(bytes);
}

/** `address/length` as it is written, the address not cut to the prefix. */
export function parseCidr(text: string): { bits: AddressBits; value: bigint; length: number } | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  if (match?.[1] === undefined || isIP(match[1]) === 0 || match[1].includes('%')) return undefined;
  const address = parseAddress(match[1]);
  const length = Number(match[2]);
  return length > address.bits ? undefined : { ...address, length };
}

export const hostBits = (prefix: Prefix): bigint => BigInt(prefix.bits - prefix.length);
export const sizeOf = (prefix: Prefix): bigint => 1n << hostBits(prefix);
export const lastAddress = (prefix: Prefix): bigint => prefix.base + sizeOf(prefix) - 1n;

export function prefixOf(value: bigint, bits: AddressBits, length: number): Prefix {
  const shift = BigInt(bits - length);
  return { bits, base: (value >> shift) << shift, length };
}

/** A subnet, whose host bits must be zero. */
export function parsePrefix(text: string): Prefix {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new InvalidArgument(`invalid subnet ${text}: invalid CIDR block notation`);
  const prefix = prefixOf(cidr.value, cidr.bits, cidr.length);
  if (prefix.base !== cidr.value)
    throw new InvalidArgument(`invalid subnet ${text}: it should be ${formatPrefix(prefix)}`);
  return prefix;
}

export const formatPrefix = (prefix: Prefix): string => `${formatAddress(prefix.base, prefix.bits)}/${prefix.length}`;

export const contains = (prefix: Prefix, value: bigint, bits: AddressBits = prefix.bits): boolean =>
  bits === prefix.bits && value >= prefix.base && value <= lastAddress(prefix);

export const overlaps = (a: Prefix, b: Prefix): boolean =>
  a.bits === b.bits && a.base <= lastAddress(b) && b.base <= lastAddress(a);
