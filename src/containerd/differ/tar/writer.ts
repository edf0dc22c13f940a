// Writes tar archives: ustar headers, with PAX records in front of an entry for what a ustar header cannot hold. The same entry
// always becomes the same bytes, so digests of archives are stable.

import type { EntryType, TarEntry } from './entry.ts';
import { blockSize } from './header.ts';
import { encodeName } from './name.ts';

/** An entry to write; what is left out is empty or 0. */
export type NewEntry = Pick<TarEntry, 'type' | 'path' | 'mode'> & Partial<Omit<TarEntry, 'sparse'>>;

const typeFlags: Readonly<Record<EntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

/** The header blocks of an entry. Its data, padded with `paddingOf(size)`, follow where it is a file. */
export function encodeHeader(entry: NewEntry): Buffer {
  const path = bytesOf(entry.type === 'directory' && !entry.path.endsWith('/') ? `${entry.path}/` : entry.path);
  const linkName = bytesOf(entry.linkName ?? '');
  const size = entry.type === 'file' ? (entry.size ?? 0) : 0;
  const { uid = 0, gid = 0, mtimeSec = 0, mtimeNsec = 0 } = entry;
  const records: [string, Uint8Array][] = [];
  const record = (key: string, value: string | Uint8Array): void => {
    records.push([key, typeof value === 'string' ? Buffer.from(value) : value]);
  };
  const split = splitPath(path);
  if (split === undefined) record('path', path);
  if (linkName.length > 100 || !isAscii(linkName)) record('linkpath', linkName);
  if (size > 0o77777777777) record('size', String(size));
  if (uid > 0o7777777) record('uid', String(uid));
  if (gid > 0o7777777) record('gid', String(gid));
  if (mtimeNsec !== 0 || mtimeSec < 0 || mtimeSec > 0o77777777777) record('mtime', decimal(mtimeSec, mtimeNsec));
  for (const [name, value] of [...(entry.xattrs ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    record(`SCHILY.xattr.${name}`, value);
  }
  const block = header({
    name: split?.name ?? path.subarray(0, 100),
    prefix: split?.prefix ?? Buffer.alloc(0),
    mode: entry.mode & 0o7777,
    uid: Math.min(uid, 0o7777777),
    gid: Math.min(gid, 0o7777777),
    size: size > 0o77777777777 ? 0 : size,
    mtime: Math.min(Math.max(mtimeSec, 0), 0o77777777777),
    type: typeFlags[entry.type],
    linkName: linkName.subarray(0, 100),
    userName: entry.userName ?? '',
    groupName: entry.groupName ?? '',
    devMajor: entry.devMajor ?? 0,
    devMinor: entry.devMinor ?? 0,
  });
  if (records.length === 0) return block;
  const body = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  const extended = header({
    name: Buffer.from(
      `PaxHeaders.0/${path
        .subarray(0, 80)
        .toString('latin1')
        .replace(/[^ -~]/g, '_')
        .replace(/\/$/, '')}`.slice(0, 100),
    ),
    prefix: Buffer.alloc(0),
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: body.length,
    mtime: 0,
    type: 'x',
    linkName: Buffer.alloc(0),
    userName: '',
    groupName: '',
    devMajor: 0,
    devMinor: 0,
  });
  return Buffer.concat([extended, body, Buffer.alloc(paddingOf(body.length)), block]);
}

/** Zero bytes after `size` bytes of data, up to a whole block. */
export const paddingOf = (size: number): number => (blockSize - (size % blockSize)) % blockSize;

/** Two empty blocks end an archive. */
export const endOfArchive: Buffer = Buffer.alloc(2 * blockSize);

interface HeaderFields {
  readonly name: Buffer;
  readonly prefix: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly type: string;
  readonly linkName: Buffer;
  readonly userName: string;
  readonly groupName: string;
  readonly devMajor: number;
  readonly devMinor: number;
}

function header(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(blockSize);
  const octal = (value: number, at: number, length: number): void => {
    block.write(value.toString(8).padStart(length - 1, '0'), at, length - 1, 'latin1');
  };
  fields.name.copy(block, 0);
  octal(fields.mode, 100, 8);
  octal(fields.uid, 108, 8);
  octal(fields.gid, 116, 8);
  octal(fields.size, 124, 12);
  octal(fields.mtime, 136, 12);
  block.fill(0x20, 148, 156);
  block.write(fields.type, 156, 'latin1');
  fields.linkName.copy(block, 157);
  block.write('ustar\x0000', 257, 'latin1');
  block.write(fields.userName.slice(0, 31), 265, 'latin1');
  block.write(fields.groupName.slice(0, 31), 297, 'latin1');
  octal(fields.devMajor, 329, 8);
  octal(fields.devMinor, 337, 8);
  fields.prefix.copy(block, 345);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Name and prefix of a ustar header; undefined where the path does not fit. */
function splitPath(path: Buffer): { name: Buffer; prefix: Buffer } | undefined {
  if (!isAscii(path)) return undefined;
  if (path.length <= 100) return { name: path, prefix: Buffer.alloc(0) };
  for (let at = path.length - 101; at < Math.min(path.length - 1, 156); at++) {
    if (at > 0 && path[at] === 0x2f) return { prefix: path.subarray(0, at), name: path.subarray(at + 1) };
  }
  return undefined;
}

/** `LENGTH KEY=VALUE\n`: the length counts itself. */
function paxRecord(key: string, value: Uint8Array): Buffer {
  const rest = Buffer.byteLength(key) + value.length + 3; // space, equals, line feed
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from('\n')]);
}

/** Seconds with nine decimals; a time before 1970 is a negative number, not negative seconds with positive nanoseconds. */
function decimal(seconds: number, nanoseconds: number): string {
  if (nanoseconds === 0) return String(seconds);
  if (seconds >= 0) return `${seconds}.${String(nanoseconds).padStart(9, '0')}`;
  return `-${-seconds - 1}.${String(1e9 - nanoseconds).padStart(9, '0')}`;
}

function bytesOf(name: string): Buffer {
  const encoded = encodeName(name);
  return typeof encoded === 'string' ? Buffer.from(encoded) : encoded;
}

const isAscii = (bytes: Buffer): boolean => bytes.every(byte => byte < 0x80);
