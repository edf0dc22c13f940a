// A tar stream of files on disk, for `cp` and build contexts: ustar, with PAX records for what does not fit.

import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';

export interface TarEntry {
  /** Without a leading slash. */
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly linkName: string;
}

const blockBytes = 512;
const types = { file: '0', directory: '5', symlink: '2' } as const;

const octal = (value: number, width: number): string =>
  `${Math.max(0, value)
    .toString(8)
    .padStart(width - 1, '0')}\0`;

function pad(size: number): Buffer {
  return Buffer.alloc((blockBytes - (size % blockBytes)) % blockBytes);
}

function rawHeader(name: string, type: string, entry: Omit<TarEntry, 'name' | 'type'>): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write(name, 0, 100);
  block.write(octal(entry.mode & 0o7777, 8), 100);
  block.write(octal(Math.min(entry.uid, 0o7777777), 8), 108);
  block.write(octal(Math.min(entry.gid, 0o7777777), 8), 116);
  block.write(octal(Math.min(entry.size, 0o77777777777), 12), 124);
  block.write(octal(Math.floor(entry.mtimeMs / 1000), 12), 136);
  block.write('        ', 148);
  block.write(type, 156);
  block.write(entry.linkName, 157, 100);
  block.write('ustar\x0000', 257);
  block.write(
    octal(
      block.reduce((sum, byte) => sum + byte, 0),
      7,
    ),
    148,
  );
  return block;
}

/** "12 path=a/b\n": the length counts itself. */
function paxRecord(key: string, value: string): string {
  const body = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(body) + 1;
  while (String(length).length + Buffer.byteLength(body) !== length)
    length = String(length).length + Buffer.byteLength(body);
  return `${length}${body}`;
}

/** An entry's header block, with the PAX header before it where a value needs one. */
export function tarHeader(entry: TarEntry): Buffer {
  const records: string[] = [];
  const ascii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);
  if (Buffer.byteLength(entry.name) > 100 || !ascii(entry.name)) records.push(paxRecord('path', entry.name));
  if (Buffer.byteLength(entry.linkName) > 100 || !ascii(entry.linkName))
    records.push(paxRecord('linkpath', entry.linkName));
  if (entry.size > 0o77777777777) records.push(paxRecord('size', String(entry.size)));
  if (entry.uid > 0o7777777) records.push(paxRecord('uid', String(entry.uid)));
  if (entry.gid > 0o7777777) records.push(paxRecord('gid', String(entry.gid)));
  const header = rawHeader(entry.name, types[entry.type], entry);
  if (records.length === 0) return header;
  const body = Buffer.from(records.join(''));
  const pax = rawHeader('PaxHeaders.0/entry', 'x', { ...entry, mode: 0o644, size: body.length, linkName: '' });
  return Buffer.concat([pax, body, pad(body.length), header]);
}

export const tarEnd = Buffer.alloc(2 * blockBytes);

/** A file given by its content. */
export function tarFile(name: string, content: Buffer, mode = 0o600): Buffer {
  const header = tarHeader({
    name,
    type: 'file',
    mode,
    uid: 0,
    gid: 0,
    size: content.length,
    mtimeMs: 0,
    linkName: '',
  });
  return Buffer.concat([header, content, pad(content.length)]);
}

export interface TreeOptions {
  /** The name of the top entry; '' leaves it out and names what is in it. */
  readonly rename: string;
  /** Follow the top entry if it is a symbolic link. */
  readonly followTop?: boolean;
  /** Whether an entry goes in; of a directory refused, what it holds is still asked for when it says 'descend'. */
  readonly include?: (relative: string, isDirectory: boolean) => boolean | 'descend';
}

/** The tar of a file or a tree, its entries in the order of their names. Sockets and devices are left out. */
export async function* tarTree(path: string, options: TreeOptions): AsyncGenerator<Buffer, void, undefined> {
  yield* subtree(path, options.rename, '', options);
  yield tarEnd;
}

async function* subtree(
  path: string,
  name: string,
  relative: string,
  options: TreeOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const info = await lstat(path);
  const included = relative === '' ? true : (options.include?.(relative, info.isDirectory()) ?? true);
  if (included === false) return;
  const base = { mode: info.mode, uid: info.uid, gid: info.gid, mtimeMs: info.mtimeMs, size: 0, linkName: '' };
  if (info.isDirectory()) {
    if (name !== '' && included === true) yield tarHeader({ ...base, name: `${name}/`, type: 'directory' });
    for (const child of (await readdir(path)).sort()) {
      const inner = relative === '' ? child : `${relative}/${child}`;
      yield* subtree(`${path}/${child}`, name === '' ? child : `${name}/${child}`, inner, options);
    }
  } else if (info.isSymbolicLink()) {
    yield tarHeader({ ...base, name, type: 'symlink', linkName: await readlink(path) });
  } else if (info.isFile()) {
    yield tarHeader({ ...base, name, type: 'file', size: info.size });
    yield* fileContent(path, info.size);
  }
}

/** Exactly the size announced, whatever the file has become meanwhile. */
async function* fileContent(path: string, size: number): AsyncGenerator<Buffer, void, undefined> {
  let left = size;
  if (size > 0) {
    for await (const chunk of createReadStream(path, {
      end: size - 1,
      highWaterMark: 256 * 1024,
    }) as AsyncIterable<Buffer>) {
      left -= chunk.length;
      yield chunk;
    }
  }
  while (left > 0) {
    const zeros = Buffer.alloc(Math.min(left, 65536));
    left -= zeros.length;
    yield zeros;
  }
  yield pad(size);
}
