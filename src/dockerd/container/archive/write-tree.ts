// Unpacks an archive into a directory of a container. Every entry's directory is looked up inside the root, and its last name is never
// followed: a link that the archive or the container puts in the way leads nowhere else.

import { closeSync, readdirSync, writeSync } from 'node:fs';
import { encodeName, type TarEntry, type TarSink } from '../../../containerd/index.ts';
import { InvalidArgument, isNotFound } from '../../../errdefs/index.ts';
import { native } from '../../../launcher/index.ts';
import { cleanPath } from '../mounts/bind.ts';
import { AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, O_PATH, RESOLVE_IN_ROOT, S_IFBLK, S_IFCHR, S_IFIFO } from './posix.ts';
import { isDirectory, O_DIRECTORY, O_NOFOLLOW, type Root } from './root.ts';

const O_WRONLY = 1;
const O_CREAT = 0o100;
const O_EXCL = 0o200;

export interface WriteOptions {
  readonly noOverwriteDirNonDir: boolean;
  /** In place of the archive's owners. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

interface OpenEntry {
  readonly entry: TarEntry;
  readonly directory: number;
  readonly name: Buffer;
  /** Of a regular file. */
  readonly fd: number | undefined;
}

/** Takes the entries of an archive. Times of directories are set at the end, when nothing changes them any more. */
export class TreeSink implements TarSink, Disposable {
  readonly #root: Root;
  readonly #base: string;
  readonly #options: WriteOptions;
  readonly #times: { path: string; sec: number; nsec: number }[] = [];
  #open: OpenEntry | undefined;

  constructor(root: Root, base: string, options: WriteOptions) {
    this.#root = root;
    this.#base = base;
    this.#options = options;
  }

  entry(entry: TarEntry): void {
    const relative = cleanPath(`/${entry.path}`);
    if (entry.path.split('/').includes('..')) {
      throw new InvalidArgument(`invalid archive: "${entry.path}" leads out of the directory`);
    }
    if (relative === '/') {
      // The directory itself: it is there; only its attributes may be meant.
      this.#open = undefined;
      return;
    }
    const at = relative.lastIndexOf('/');
    const directory = this.#directory(`${this.#base}${relative.slice(0, at)}` || '/');
    const name = encodeName(relative.slice(at + 1));
    try {
      this.#open = this.#make(entry, directory, Buffer.from(name), relative);
    } catch (err) {
      closeSync(directory);
      throw err;
    }
  }

  data(bytes: Buffer, offset: number): void {
    const fd = this.#open?.fd;
    if (fd === undefined) return;
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, offset + at);
  }

  end(): void {
    try {
      if (this.#open !== undefined) this.#attributes(this.#open);
    } finally {
      this[Symbol.dispose]();
    }
  }

  /** Lets go of an entry whose data has not all come. */
  [Symbol.dispose](): void {
    const open = this.#open;
    this.#open = undefined;
    if (open?.fd !== undefined) closeSync(open.fd);
    if (open !== undefined) closeSync(open.directory);
  }

  /** After the last entry. */
  finish(): void {
    for (const { path, sec, nsec } of this.#times.reverse()) {
      const { fd, name } = this.#root.parentOf(path);
      native().utimensat(fd, name, sec, nsec, sec, nsec, AT_SYMLINK_NOFOLLOW);
      closeSync(fd);
    }
  }

  /** An O_PATH descriptor of a directory, made with its parents where it is missing. */
  #directory(path: string): number {
    try {
      return this.#root.open(path, O_PATH | O_DIRECTORY);
    } catch (err) {
      if (!isNotFound(err)) throw err;
    }
    const parent = this.#directory(path.slice(0, path.lastIndexOf('/')) || '/');
    try {
      const name = path.slice(path.lastIndexOf('/') + 1);
      native().mkdirat(parent, encodeName(name), 0o755);
      return native().openat2(parent, encodeName(name), O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, 0);
    } finally {
      closeSync(parent);
    }
  }

  #make(entry: TarEntry, directory: number, name: Buffer, path: string): OpenEntry {
    const sys = native();
    const before = statOrUndefined(directory, name);
    if (before !== undefined) {
      const wasDirectory = isDirectory(before);
      if (this.#options.noOverwriteDirNonDir && wasDirectory !== (entry.type === 'directory')) {
        throw new InvalidArgument(
          wasDirectory
            ? `cannot overwrite directory "${this.#base}${path}" with non-directory "${path}"`
            : `cannot overwrite non-directory "${this.#base}${path}" with directory "${path}"`,
        );
      }
      if (wasDirectory && entry.type === 'directory') return { entry, directory, name, fd: undefined };
      if (wasDirectory) removeTree(directory, name);
      else sys.unlinkat(directory, name, 0);
    }
    switch (entry.type) {
      case 'directory':
        sys.mkdirat(directory, name, 0o755);
        return { entry, directory, name, fd: undefined };
      case 'file':
        return {
          entry,
          directory,
          name,
          fd: sys.openat2(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600, 0),
        };
      case 'symlink':
        sys.symlinkat(encodeName(entry.linkName), directory, name);
        return { entry, directory, name, fd: undefined };
      case 'hardlink': {
        const target = cleanPath(`${this.#base}/${entry.linkName}`);
        const from = this.#root.parentOf(target);
        try {
          sys.linkat(from.fd, encodeName(from.name), directory, name, 0);
        } finally {
          closeSync(from.fd);
        }
        return { entry, directory, name, fd: undefined };
      }
      default: {
        const kind = entry.type === 'char' ? S_IFCHR : entry.type === 'block' ? S_IFBLK : S_IFIFO;
        sys.mknodat(directory, name, kind | 0o600, entry.devMajor, entry.devMinor);
        return { entry, directory, name, fd: undefined };
      }
    }
  }

  #attributes({ entry, directory, name, fd }: OpenEntry): void {
    if (entry.type === 'hardlink') return;
    const sys = native();
    const { uid, gid } = this.#options.owner ?? entry;
    sys.fchownat(directory, name, uid, gid, AT_SYMLINK_NOFOLLOW);
    if (entry.type !== 'symlink') sys.fchmodat(directory, name, entry.mode);
    for (const [key, value] of entry.xattrs ?? []) {
      if (fd === undefined || !(key.startsWith('user.') || key === 'security.capability')) continue;
      sys.lsetxattr(fd, key, value, 0);
    }
    const { mtimeSec, mtimeNsec } = entry;
    if (entry.type === 'directory') {
      this.#times.push({ path: cleanPath(`${this.#base}/${entry.path}`), sec: mtimeSec, nsec: mtimeNsec });
    } else sys.utimensat(directory, name, mtimeSec, mtimeNsec, mtimeSec, mtimeNsec, AT_SYMLINK_NOFOLLOW);
  }
}

function statOrUndefined(directory: number, name: Buffer) {
  try {
    return native().statx(directory, name, AT_SYMLINK_NOFOLLOW);
  } catch (err) {
    if (isNotFound(err)) return undefined;
    throw err;
  }
}

/** A directory that a file takes the place of. */
function removeTree(directory: number, name: Buffer): void {
  const sys = native();
  const fd = sys.openat2(directory, name, O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_IN_ROOT);
  try {
    for (const child of listNames(fd)) {
      if (isDirectory(sys.statx(fd, child, AT_SYMLINK_NOFOLLOW))) removeTree(fd, child);
      else sys.unlinkat(fd, child, 0);
    }
  } finally {
    closeSync(fd);
  }
  sys.unlinkat(directory, name, AT_REMOVEDIR);
}

function listNames(fd: number): Buffer[] {
  return readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' }) as Buffer[];
}
