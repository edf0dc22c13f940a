// PAX records (POSIX.1-2001 pax, "pax Extended Header"): `LENGTH KEY=VALUE\n`, where the length counts itself. Values are bytes:
// xattrs may hold anything.

import { InvalidArgument } from '../../../errdefs/index.ts';
import { decodeName } from './name.ts';

export type PaxRecords = Map<string, Buffer>;

const malformed = () => new InvalidArgument('invalid tar header: malformed PAX record');

/** Adds the records in `bytes` to `into`; a record without a value removes one, as the standard has it. */
export function parsePax(bytes: Buffer, into: PaxRecords): void {
  let at = 0;
  while (at < bytes.length) {
    // Some writers pad with zeros.
    if (bytes[at] === 0) return;
    const space = bytes.indexOf(0x20, at);
    if (space < 0 || space - at > 10) throw malformed();
    const length = Number(bytes.toString('latin1', at, space));
    const end = at + length;
    if (!Number.isInteger(length) || length <= space - at + 1 || end > bytes.length || bytes[end - 1] !== 0x0a) {
      throw malformed();
    }
    const equals = bytes.indexOf(0x3d, space + 1);
    if (equals < 0 || equals >= end) throw malformed();
    const key = bytes.toString('utf8', space + 1, equals);
    if (key === '') throw malformed();
    const value = bytes.subarray(equals + 1, end - 1);
    // GNU sparse 0.0 repeats two keys; they are gathered in order.
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') {
      const before = into.get('GNU.sparse.map');
      into.set('GNU.sparse.map', before === undefined ? value : Buffer.concat([before, Buffer.from(','), value]));
    } else if (value.length === 0 && !key.startsWith('SCHILY.xattr.')) {
      into.delete(key);
    } else {
      into.set(key, value);
    }
    at = end;
  }
}

export function paxText(records: PaxRecords, key: string): string | undefined {
  const value = records.get(key);
  if (value === undefined) return undefined;
  if (value.includes(0)) throw new InvalidArgument(`invalid tar header: PAX ${key} holds a zero byte`);
  return decodeName(value);
}

export function paxInteger(records: PaxRecords, key: string): number | undefined {
  const value = records.get(key);
  if (value === undefined) return undefined;
  const text = value.toString('latin1');
  const number = Number(text);
  if (!/^-?[0-9]+$/.test(text) || !Number.isSafeInteger(number)) {
    throw new InvalidArgument(`invalid tar header: PAX ${key} is not a number`);
  }
  return number;
}

/** Seconds with a fraction of any length, cut to nanoseconds (towards minus infinity, as a timespec has it). */
export function paxTime(records: PaxRecords, key: string): { sec: number; nsec: number } | undefined {
  const value = records.get(key);
  if (value === undefined) return undefined;
  const match = /^(-?)([0-9]+)(?:\.([0-9]*))?$/.exec(value.toString('latin1'));
  if (match === null) throw new InvalidArgument(`invalid tar header: PAX ${key} is not a time`);
  const sec = Number(match[2]);
  if (!Number.isSafeInteger(sec)) throw new InvalidArgument(`invalid tar header: PAX ${key} is out of range`);
  const nsec = Number((match[3] ?? '').padEnd(9, '0').slice(0, 9));
  if (match[1] === '') return { sec, nsec };
  return nsec === 0 ? { sec: -sec, nsec: 0 } : { sec: -sec - 1, nsec: 1e9 - nsec };
}

/** Extended attributes: `SCHILY.xattr.NAME` (GNU tar, Go, star), and libarchive's form. */
export function paxXattrs(records: PaxRecords): Map<string, Uint8Array> | undefined {
  let xattrs: Map<string, Uint8Array> | undefined;
  for (const [key, value] of records) {
    if (key.startsWith('SCHILY.xattr.')) {
      xattrs ??= new Map();
      xattrs.set(key.slice('SCHILY.xattr.'.length), value);
    } else if (key.startsWith('LIBARCHIVE.xattr.')) {
      const name = decodeURIComponentOr(key.slice('LIBARCHIVE.xattr.'.length));
      xattrs ??= new Map();
      if (!xattrs.has(name)) xattrs.set(name, Buffer.from(value.toString('latin1'), 'base64'));
    }
  }
  return xattrs;
}

function decodeURIComponentOr(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
