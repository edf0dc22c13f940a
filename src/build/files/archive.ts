// ADD unpacks archives that it finds among its sources, told by their first bytes, not by their names.

import { readSync } from 'node:fs';
import { posix } from 'node:path';
import { Decompressor, type NewEntry, type TarEntry, TarReader } from '../../containerd/index.ts';
import { InvalidArgument } from '../../errdefs/index.ts';

export interface ArchiveSink {
  entry(entry: NewEntry & { readonly linkName: string }): void;
  data(bytes: Buffer): void;
  /** After a file's data of `size` bytes. */
  end(size: number): void;
  pause(): Promise<void>;
}

/** Is the file a tar, plain or compressed? */
export function isArchive(fd: number): boolean {
  const head = Buffer.alloc(512);
  const read = readSync(fd, head, 0, 512, 0);
  const starts = (...bytes: number[]): boolean => bytes.every((byte, i) => head[i] === byte);
  if (
    starts(0x1f, 0x8b) ||
    starts(0x28, 0xb5, 0x2f, 0xfd) ||
    starts(0xfd, 0x37, 0x7a, 0x58, 0x5a) ||
    starts(0x42, 0x5a, 0x68)
  )
    return true;
  if (read < 512) return false;
  if (head.toString('latin1', 257, 262) === 'ustar') return true;
  return false;
}

/** Reads the archive from the file's start. Names that lead out of it are refused. */
export async function unpackArchive(fd: number, sink: ArchiveSink): Promise<void> {
  let size = 0;
  let written = 0;
  let open = false;
  const reader = new TarReader({
    entry: (entry: TarEntry) => {
      const path = inside(entry.path);
      if (path === '') return;
      size = entry.type === 'file' ? entry.size : 0;
      written = 0;
      open = true;
      sink.entry({ ...entry, path, linkName: entry.type === 'hardlink' ? inside(entry.linkName) : entry.linkName });
    },
    data: (bytes, offset) => {
      if (!open) return;
      if (offset > written) sink.data(Buffer.alloc(offset - written)); // the hole of a sparse file
      sink.data(bytes);
      written = offset + bytes.length;
    },
    end: () => {
      if (!open) return;
      if (size > written) sink.data(Buffer.alloc(size - written));
      sink.end(size);
      open = false;
    },
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => {});
  const decompressor = new Decompressor(bytes => reader.write(bytes), reject);
  let position = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafeSlow(256 * 1024);
    const read = readSync(fd, chunk, 0, chunk.length, position);
    if (read === 0) break;
    position += read;
    const taken = Promise.withResolvers<void>();
    decompressor.write(chunk.subarray(0, read), taken.resolve);
    await Promise.race([taken.promise, promise]);
    await sink.pause();
  }
  decompressor.end(resolve);
  await promise;
}

function inside(name: string): string {
  const clean = posix
    .normalize(name)
    .replace(/^(\.\/|\/)+/, '')
    .replace(/\/$/, '');
  if (clean === '..' || clean.startsWith('../')) throw new InvalidArgument(`"${name}" is outside of the root`);
  return clean === '.' ? '' : clean;
}
