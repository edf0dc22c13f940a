// IP and hardware addresses as bytes. Names are resolved nowhere here.

import { isIP, isIPv4 } from 'node:net';
import { InvalidArgument } from '../errdefs/index.ts';

export const family = { unspecified: 0, inet: 2, bridge: 7, inet6: 10 } as const;

export const familyOf = (address: string): number => (isIPv4(address) ? family.inet : family.inet6);

/** `172.17.0.2` or `fd00::2` as 4 or 16 bytes in network order. */
export function encodeAddress(address: string): Uint8Array {
  const version = isIP(address);
  if (version === 4) return Uint8Array.from(address.split('.'), Number);
  if (version !== 6 || address.includes('%'))
    throw new InvalidArgument(`invalid IP address: ${JSON.stringify(address)}`);
  return encodeAddress6(address);
}

function encodeAddress6(address: string): Uint8Array {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = (high: string | undefined, low: string | undefined) => ((Number(high) << 8) | Number(low)).toString(16);
  const plain = dotted === null ? address : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`;
  const [head = '', tail] = plain.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map(group => Number.parseInt(group, 16));
  const left = groups(head);
  const right = groups(tail ?? '');
  const words = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Uint8Array.from(words.flatMap(word => [word >> 8, word & 0xff]));
}

/** The usual text of 4 or 16 bytes; IPv6 as RFC 5952 wants it. */
export function decodeAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) throw new InvalidArgument(`an IP address has 4 or 16 bytes, not ${bytes.length}`);
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  const run = longestZeroRun(words);
  const hex = (part: number[]) => part.map(word => word.toString(16)).join(':');
  if (run.length < 2) return hex(words);
  return `${hex(words.slice(0, run.start))}::${hex(words.slice(run.start + run.length))}`;
}

function longestZeroRun(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let i = 0; i < words.length; i++) {
    let length = 0;
    while (words[i + length] === 0) length++;
    if (length > best.length) best = { start: i, length };
    i += length;
  }
  return best;
}

/** `02:42:ac:11:00:02` as six bytes. */
export function encodeHardwareAddress(address: string): Uint8Array {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(address)) {
    throw new InvalidArgument(`invalid MAC address: ${JSON.stringify(address)}`);
  }
  return Uint8Array.from(address.split(/[:-]/), part => Number.parseInt(part, 16));
}

export const decodeHardwareAddress = (bytes: Uint8Array): string =>
  Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(':');
