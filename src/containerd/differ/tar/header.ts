// The 512-byte block in front of each entry (POSIX.1-1988 ustar with GNU's extensions).
//
//     0 name 100   100 mode 8   108 uid 8   116 gid 8   124 size 12   136 mtime 12   148 checksum 8   156 type 1
//     157 linkname 100   257 magic 8   265 uname 32   297 gname 32   329 devmajor 8   337 devminor 8   345 prefix 155
//     GNU instead of the prefix: 345 atime 12  357 ctime 12  369 offset 12  386 4×(offset 12, size 12)  482 extended 1  483 realsize 12

import { InvalidArgument } from '../../../errdefs/index.ts';
import { decodeName } from './name.ts';

export const blockSize = 512;

export interface RawHeader {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly type: string;
  readonly linkName: string;
  readonly userName: string;
  readonly groupName: string;
  readonly devMajor: number;
  readonly devMinor: number;
  /** GNU magic: the prefix holds other fields. */
  readonly gnu: boolean;
}

function text(block: Buffer, start: number, length: number): string {
  if (block[start] === 0) return '';
  let end = start;
  while (end < start + length && block[end] !== 0) end++;
  return decodeName(block.subarray(start, end));
}

/** Octal text, or GNU's base 256 where the first bit is set. */
export function parseNumber(block: Buffer, start: number, length: number, field: string): number {
  const first = block[start]!;
  if ((first & 0x80) !== 0) {
    // Two's complement over all bytes but the flag bit.
    let value = (first & 0x40) !== 0 ? BigInt(first & 0x7f) - 0x80n : BigInt(first & 0x7f);
    for (let i = start + 1; i < start + length; i++) value = (value << 8n) | BigInt(block[i]!);
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw new InvalidArgument(`invalid tar header: ${field} out of range`);
    return number;
  }
  let value = 0;
  let i = start;
  const end = start + length;
  while (i < end && block[i] === 0x20) i++;
  for (; i < end; i++) {
    const digit = block[i]! - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  if (i < end && block[i] !== 0 && block[i] !== 0x20) {
    throw new InvalidArgument(`invalid tar header: ${field} is not a number`);
  }
  return value;
}

export function isZeroBlock(block: Buffer): boolean {
  if (block[0] !== 0) return false;
  for (let i = 0; i < blockSize; i++) if (block[i] !== 0) return false;
  return true;
}

/** The sum of all bytes with the checksum itself as blanks; some old writers summed signed bytes. */
function checksumFits(block: Buffer): boolean {
  let unsigned = 8 * 0x20;
  let high = 0;
  for (let i = 0; i < 148; i++) {
    const byte = block[i]!;
    unsigned += byte;
    high += byte >> 7;
  }
  for (let i = 156; i < blockSize; i++) {
    const byte = block[i]!;
    unsigned += byte;
    high += byte >> 7;
  }
  const stored = parseNumber(block, 148, 8, 'checksum');
  return stored === unsigned || stored === unsigned - high * 256;
}

export function parseHeader(block: Buffer): RawHeader {
  if (!checksumFits(block)) throw new InvalidArgument('invalid tar header: checksum does not match');
  const magic = block.toString('latin1', 257, 265);
  const gnu = magic === 'ustar  \0';
  const ustar = magic.startsWith('ustar\0');
  const name = text(block, 0, 100);
  const prefix = ustar ? text(block, 345, 155) : '';
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: parseNumber(block, 100, 8, 'mode'),
    uid: parseNumber(block, 108, 8, 'uid'),
    gid: parseNumber(block, 116, 8, 'gid'),
    size: parseNumber(block, 124, 12, 'size'),
    mtime: parseNumber(block, 136, 12, 'mtime'),
    type: block[156] === 0 ? '0' : String.fromCharCode(block[156]!),
    linkName: text(block, 157, 100),
    userName: gnu || ustar ? text(block, 265, 32) : '',
    groupName: gnu || ustar ? text(block, 297, 32) : '',
    devMajor: gnu || ustar ? parseNumber(block, 329, 8, 'devmajor') : 0,
    devMinor: gnu || ustar ? parseNumber(block, 337, 8, 'devminor') : 0,
    gnu,
  };
}
