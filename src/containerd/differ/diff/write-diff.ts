// The upper directory of an overlay mount as the archive of a layer (image-spec layer.md): what is there was added or changed; a
// character device 0:0 hides a name of the layers below and becomes `.wh.NAME`; a directory that hides all below gets `.wh..wh..opq`.

import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { NotImplemented } from '../../../errdefs/index.ts';
import { native, type Stat } from '../../../launcher/index.ts';
import { isOpaque, MergedView } from '../../snapshots/overlay/merged-view.ts';
import type { Usage } from '../../snapshots/snapshotter.ts';
import { openRegular } from '../apply/open-regular.ts';
import { atSymlinkNoFollow, isDirectory, isRegular, isSymlink, isWhiteout, openFlags } from '../apply/posix.ts';
import { decodeName, encodeName } from '../tar/name.ts';
import { encodeHeader, endOfArchive, type NewEntry, paddingOf } from '../tar/writer.ts';

export interface DiffJob {
  readonly upper: string;
  /** Directories of the layers below, topmost first. */
  readonly lower: readonly string[];
  /** Where the archive goes. */
  readonly ingest: string;
  readonly clampSec?: number;
}

export interface Diffed {
  readonly digest: string;
  readonly size: number;
  readonly entries: number;
  readonly fileBytes: number;
  readonly usage: Usage;
}

const blockBytes = 256 * 1024;

/** Writes the archive; gives way now and then by yielding. */
export function* writeDiff(job: DiffJob): Generator<void, Diffed> {
  using writer = new DiffWriter(job);
  yield* writer.walk();
  return writer.finish();
}

class DiffWriter implements Disposable {
  readonly #job: DiffJob;
  readonly #out: number;
  readonly #root: number;
  readonly #hash = createHash('sha256');
  readonly #block = Buffer.allocUnsafe(blockBytes);
  readonly #below: MergedView | undefined;
  /** Files with several names, by device and inode: the first name is the file, the others link to it. */
  readonly #linked = new Map<string, string>();
  #fill = 0;
  #size = 0;
  #entries = 0;
  #fileBytes = 0;
  readonly #usage = { sizeBytes: 0, inodes: 0 };

  constructor(job: DiffJob) {
    this.#job = job;
    this.#out = openSync(job.ingest, 'w', 0o600);
    this.#root = openSync(job.upper, openFlags.O_PATH | openFlags.O_DIRECTORY);
    this.#below = job.lower.length === 0 ? undefined : new MergedView(job.lower);
  }

  [Symbol.dispose](): void {
    closeSync(this.#out);
    closeSync(this.#root);
    this.#below?.close();
  }

  *walk(): Generator<void> {
    this.#count(native().statx(this.#root, '.', 0));
    yield* this.#directory(this.#root, '');
  }

  finish(): Diffed {
    this.#write(endOfArchive);
    this.#flush();
    return {
      digest: `sha256:${this.#hash.digest('hex')}`,
      size: this.#size,
      entries: this.#entries,
      fileBytes: this.#fileBytes,
      usage: this.#usage,
    };
  }

  *#directory(fd: number, path: string): Generator<void> {
    const names = readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' }).map(decodeName).sort();
    for (const name of names) {
      const child = path === '' ? name : `${path}/${name}`;
      const stat = native().statx(fd, encodeName(name), atSymlinkNoFollow);
      this.#count(stat);
      if (isDirectory(stat.mode)) {
        const flags = openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_NOFOLLOW;
        const inner = native().openat2(fd, encodeName(name), flags, 0, 0);
        try {
          this.#node(fd, name, child, stat);
          if (isOpaque(inner) && this.#below?.lookup(`/${child}`, { followLast: false }) !== undefined) {
            this.#header({ type: 'file', path: `${child}/.wh..wh..opq`, mode: 0, size: 0, ...times(stat) });
          }
          yield* this.#directory(inner, child);
        } finally {
          closeSync(inner);
        }
      } else this.#node(fd, name, child, stat);
      yield;
    }
  }

  #node(fd: number, name: string, path: string, stat: Stat): void {
    if (isWhiteout(stat)) {
      const slash = path.lastIndexOf('/') + 1;
      const hidden = `${path.slice(0, slash)}.wh.${path.slice(slash)}`;
      this.#header({ type: 'file', path: hidden, mode: 0, size: 0, ...times(stat) });
      return;
    }
    const xattrs = xattrsOf(`/proc/self/fd/${fd}/${name}`, fd, name);
    const common = {
      path,
      mode: stat.mode & 0o7777,
      uid: stat.uid,
      gid: stat.gid,
      ...times(stat),
      ...(xattrs !== undefined && { xattrs }),
    };
    if (isDirectory(stat.mode)) {
      this.#header({ ...common, type: 'directory' });
      return;
    }
    if (stat.nlink > 1) {
      const inode = `${stat.dev}:${stat.ino}`;
      const first = this.#linked.get(inode);
      if (first !== undefined) {
        this.#header({ ...common, type: 'hardlink', linkName: first });
        return;
      }
      this.#linked.set(inode, path);
    }
    if (isRegular(stat.mode)) this.#file(fd, name, { ...common, type: 'file', size: stat.size });
    else if (isSymlink(stat.mode)) {
      const linkName = decodeName(native().readlinkat(fd, encodeName(name)));
      this.#header({ ...common, mode: 0o777, type: 'symlink', linkName });
    } else this.#special(common, stat);
  }

  #special(common: Omit<NewEntry, 'type'>, stat: Stat): void {
    switch (stat.mode & constants.S_IFMT) {
      case constants.S_IFCHR:
      case constants.S_IFBLK: {
        const type = (stat.mode & constants.S_IFMT) === constants.S_IFCHR ? 'char' : 'block';
        this.#header({ ...common, type, devMajor: stat.rdevMajor, devMinor: stat.rdevMinor });
        break;
      }
      case constants.S_IFIFO:
        this.#header({ ...common, type: 'fifo' });
        break;
      // A socket means nothing without its process.
    }
  }

  /** The size stands in the header already: exactly so many bytes follow. */
  #file(dirFd: number, name: string, entry: NewEntry & { readonly size: number }): void {
    const fd = openRegular(dirFd, encodeName(name));
    try {
      this.#header(entry);
      this.#fileBytes += entry.size;
      let left = entry.size;
      while (left > 0) {
        if (this.#fill === blockBytes) this.#flush();
        const read = readSync(fd, this.#block, this.#fill, Math.min(left, blockBytes - this.#fill), null);
        if (read === 0) break;
        this.#fill += read;
        left -= read;
      }
      if (left > 0) throw new NotImplemented(`"${entry.path}" became shorter while it was read`);
      this.#write(Buffer.alloc(paddingOf(entry.size)));
    } finally {
      closeSync(fd);
    }
  }

  #header(entry: NewEntry): void {
    const { clampSec } = this.#job;
    const late = clampSec !== undefined && (entry.mtimeSec ?? 0) > clampSec;
    this.#write(encodeHeader(late ? { ...entry, mtimeSec: clampSec, mtimeNsec: 0 } : entry));
    this.#entries++;
  }

  #write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#fill === blockBytes) this.#flush();
      const taken = Math.min(bytes.length - at, blockBytes - this.#fill);
      this.#block.set(bytes.subarray(at, at + taken), this.#fill);
      this.#fill += taken;
      at += taken;
    }
  }

  #flush(): void {
    const bytes = this.#block.subarray(0, this.#fill);
    this.#hash.update(bytes);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#out, bytes, at);
    this.#size += bytes.length;
    this.#fill = 0;
  }

  /** As `du` counts. */
  #count(stat: Stat): void {
    if (stat.nlink > 1 && !isDirectory(stat.mode) && this.#linked.has(`${stat.dev}:${stat.ino}`)) return;
    this.#usage.sizeBytes += stat.blocks * 512;
    this.#usage.inodes++;
  }
}

const times = (stat: Stat) => ({ mtimeSec: stat.mtimeSec, mtimeNsec: stat.mtimeNsec });

/** The attributes that are the file's own. What overlayfs keeps for itself stays out; what it would need us to understand is refused. */
function xattrsOf(path: string, fd: number, name: string): Map<string, Uint8Array> | undefined {
  let found: Map<string, Uint8Array> | undefined;
  const target = name.isWellFormed()
    ? path
    : Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), encodeName(name) as Buffer]);
  let names: string[];
  try {
    names = native().llistxattr(target);
  } catch {
    return undefined; // a file system without them
  }
  for (const attribute of names) {
    if (attribute === 'trusted.overlay.redirect' || attribute === 'trusted.overlay.metacopy') {
      throw new NotImplemented(`the layer uses ${attribute}, which cannot become part of an archive`);
    }
    if (attribute.startsWith('trusted.overlay.') || attribute === 'security.selinux') continue;
    const value = native().lgetxattr(target, attribute);
    if (value === null) continue;
    found ??= new Map();
    found.set(attribute, value);
  }
  return found;
}
