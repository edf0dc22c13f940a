// A file or a tree of a container as a tar archive, piece by piece.

import { closeSync, readdirSync, readSync } from 'node:fs';
import { decodeName, type EntryType, encodeHeader, endOfArchive, paddingOf } from '../../../containerd/index.ts';
import { native, type Stat } from '../../../launcher/index.ts';
import {
  AT_SYMLINK_NOFOLLOW,
  O_PATH,
  RESOLVE_IN_ROOT,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from './posix.ts';
import { O_DIRECTORY, O_NOFOLLOW, type Root } from './root.ts';

const pieceBytes = 256 << 10;

const kinds: Readonly<Record<number, EntryType>> = {
  [S_IFREG]: 'file',
  [S_IFDIR]: 'directory',
  [S_IFLNK]: 'symlink',
  [S_IFCHR]: 'char',
  [S_IFBLK]: 'block',
  [S_IFIFO]: 'fifo',
};

/** The archive of what is at `path`, with `name` in place of its own name; '' for the inside of the root. */
export function* readTree(root: Root, path: string, name: string, oneFileSystem: boolean): Generator<Buffer> {
  const writer = new TreeWriter(oneFileSystem);
  const { fd, name: base } = root.parentOf(path);
  try {
    yield* writer.entry(fd, Buffer.from(base), name, undefined);
  } finally {
    closeSync(fd);
  }
  yield* writer.flush();
  yield endOfArchive;
}

class TreeWriter {
  readonly #oneFileSystem: boolean;
  /** Files with several names: the first is the file, the others link to it. */
  readonly #linked = new Map<string, string>();
  #pieces: Buffer[] = [];
  #size = 0;

  constructor(oneFileSystem: boolean) {
    this.#oneFileSystem = oneFileSystem;
  }

  *flush(): Generator<Buffer> {
    if (this.#size > 0) yield Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#size = 0;
  }

  *#put(bytes: Buffer): Generator<Buffer> {
    this.#pieces.push(bytes);
    this.#size += bytes.length;
    if (this.#size >= pieceBytes) yield* this.flush();
  }

  *entry(directory: number, name: Buffer, path: string, device: number | undefined): Generator<Buffer> {
    const sys = native();
    let stat: Stat;
    try {
      stat = sys.statx(directory, name, AT_SYMLINK_NOFOLLOW);
    } catch (err) {
      if ((err as { code?: string }).code === 'ENOENT') return; // gone meanwhile
      throw err;
    }
    const type = kinds[stat.mode & S_IFMT];
    if (type === undefined) return; // a socket
    const { uid, gid, mtimeSec, mtimeNsec } = stat;
    const common = { path, mode: stat.mode & 0o7777, uid, gid, mtimeSec, mtimeNsec };
    if (type === 'directory') {
      if (path !== '') yield* this.#put(encodeHeader({ type, ...common }));
      if (this.#oneFileSystem && device !== undefined && stat.dev !== device) return; // a mount point of another's
      yield* this.#children(directory, name, path, stat.dev);
      return;
    }
    if (stat.nlink > 1) {
      const key = `${stat.dev}:${stat.ino}`;
      const first = this.#linked.get(key);
      if (first !== undefined) {
        yield* this.#put(encodeHeader({ type: 'hardlink', ...common, linkName: first }));
        return;
      }
      this.#linked.set(key, path);
    }
    if (type === 'symlink') {
      const linkName = decodeName(sys.readlinkat(directory, name));
      yield* this.#put(encodeHeader({ type, ...common, linkName }));
    } else if (type === 'file') yield* this.#file(directory, name, common, stat.size);
    else {
      yield* this.#put(encodeHeader({ type, ...common, devMajor: stat.rdevMajor, devMinor: stat.rdevMinor }));
    }
  }

  *#children(directory: number, name: Buffer, path: string, device: number): Generator<Buffer> {
    // The root's own '.' and any name that is no link; nothing is followed.
    const fd = native().openat2(directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_IN_ROOT);
    try {
      const names = readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' }) as Buffer[];
      for (const child of names.sort(Buffer.compare)) {
        const text = decodeName(child);
        yield* this.entry(fd, child, path === '' ? text : `${path.replace(/\/$/, '')}/${text}`, device);
      }
    } finally {
      closeSync(fd);
    }
  }

  *#file(directory: number, name: Buffer, common: { path: string; mode: number }, size: number): Generator<Buffer> {
    const sys = native();
    let fd: number;
    try {
      // O_NONBLOCK: something that became a FIFO meanwhile must not hold us up.
      fd = sys.openat2(directory, name, O_NOFOLLOW | 0o4000, 0, 0);
    } catch (err) {
      if ((err as { code?: string }).code === 'ENOENT') return;
      throw err;
    }
    try {
      const xattrs = capability(fd);
      yield* this.#put(encodeHeader({ type: 'file', ...common, size, ...(xattrs !== undefined && { xattrs }) }));
      let left = size;
      while (left > 0) {
        const buffer = Buffer.allocUnsafe(Math.min(left, pieceBytes));
        const got = readSync(fd, buffer, 0, buffer.length, null);
        if (got === 0) {
          // Shorter than it was: the header has told its size.
          buffer.fill(0);
          left -= buffer.length;
          yield* this.#put(buffer);
          continue;
        }
        left -= got;
        yield* this.#put(buffer.subarray(0, got));
      }
      const padding = paddingOf(size);
      const bytes = typeof padding === 'number' ? Buffer.alloc(padding) : (padding as Buffer);
      if (bytes.length > 0) yield* this.#put(bytes);
    } finally {
      closeSync(fd);
    }
  }
}

function capability(fd: number): ReadonlyMap<string, Uint8Array> | undefined {
  try {
    const value = native().lgetxattr(fd, 'security.capability');
    return value === null ? undefined : new Map([['security.capability', value]]);
  } catch {
    return undefined;
  }
}
