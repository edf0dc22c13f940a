// Applies the entries of a layer's archive to its directory, in the form overlayfs reads: whiteouts become character devices 0:0,
// opaque directories get an xattr. Everything is synchronous: this runs in a worker thread.

import { closeSync, constants, fchmodSync, fchownSync, ftruncateSync, writeSync } from 'node:fs';
import { codeOf, EngineError, InvalidArgument, ResourceExhausted } from '../../../errdefs/index.ts';
import { type Native, native } from '../../../launcher/index.ts';
import type { Usage } from '../../snapshots/snapshotter.ts';
import type { TarEntry } from '../tar/entry.ts';
import { encodeName } from '../tar/name.ts';
import type { TarSink } from '../tar/reader.ts';
import { cleanPath, joinPath, splitPath } from './entry-path.ts';
import { LayerTree } from './layer-tree.ts';
import type { UnpackLimits } from './limits.ts';
import {
  atRemoveDirectory,
  atSymlinkNoFollow,
  errnoOf,
  isDirectory,
  isWhiteout,
  openFlags,
  utimeOmit,
} from './posix.ts';
import { removeTree } from './remove-tree.ts';

const whiteoutPrefix = '.wh.';
const opaqueMarker = '.wh..wh..opq';

/** A hard link whose target is not in this layer. */
export interface DeferredLink {
  readonly path: string;
  readonly target: string;
}

export interface Applied {
  readonly usage: Usage;
  /** Directories that no entry described: they take their attributes from the layers below. */
  readonly implied: readonly string[];
  readonly deferredLinks: readonly DeferredLink[];
}

/** What a directory gets when all is in it. */
interface DirectoryEnd {
  readonly sec: number;
  readonly nsec: number;
  /** Where it has the setgid bit: what is made in such a directory would take over its group. */
  readonly mode: number | undefined;
}

export class LayerApplier implements TarSink {
  readonly #native: Native = native();
  readonly #tree: LayerTree;
  readonly #limits: UnpackLimits;
  /** Set at the end: every file made in a directory changes its time. */
  readonly #directoryEnds = new Map<string, DirectoryEnd>();
  readonly #deferredLinks: DeferredLink[] = [];
  readonly #whiteouts = new Set<string>();
  #rootDescribed = false;
  #entries = 0;
  #devices = 0;
  #blocks = 0;
  #inodes = 0;
  /** The file being written: its descriptor, or -1. */
  #fd = -1;
  #current: TarEntry | undefined;
  #directory = '';
  #base = '';

  constructor(root: string, limits: UnpackLimits) {
    this.#tree = new LayerTree(root);
    this.#limits = limits;
  }

  entry(entry: TarEntry): void {
    this.#current = entry;
    try {
      if (++this.#entries > this.#limits.maxEntries) {
        throw new ResourceExhausted(`layer has more than ${this.#limits.maxEntries} entries`);
      }
      this.#apply(entry);
    } catch (err) {
      throw this.#explain(err);
    }
  }

  data(bytes: Buffer, offset: number): void {
    if (this.#fd < 0) return;
    try {
      const position = this.#current!.sparse === undefined ? null : offset;
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.#fd, bytes, done, bytes.length - done, position === null ? null : position + done);
      }
    } catch (err) {
      throw this.#explain(err);
    }
  }

  end(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    try {
      this.#finishFile(fd, this.#current!);
    } catch (err) {
      throw this.#explain(err);
    } finally {
      closeSync(fd);
    }
  }

  /** All entries are there: directory times are set, and what is left to the layers below is told. */
  finish(): Applied {
    for (const link of this.#deferredLinks.splice(0)) {
      const { parent, base } = splitPath(link.path);
      if (!this.#link(link.target, parent, base)) this.#deferredLinks.push(link);
    }
    let sizeBytes = this.#blocks * 4096;
    let directories = 0;
    for (const path of this.#tree.directories()) {
      const fd = this.#tree.fd(path);
      const end = this.#directoryEnds.get(path);
      if (end?.mode !== undefined) this.#native.fchmodat(fd, '.', end.mode);
      if (end !== undefined) this.#native.utimensat(fd, '.', 0, utimeOmit, end.sec, end.nsec, 0);
      sizeBytes += this.#native.statx(fd, '.', 0).blocks * 512;
      directories++;
    }
    const implied = [...this.#tree.implied];
    return {
      usage: { sizeBytes, inodes: this.#inodes + directories },
      implied: this.#rootDescribed ? implied : ['', ...implied],
      deferredLinks: this.#deferredLinks,
    };
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    this.#tree.close();
  }

  #apply(entry: TarEntry): void {
    const path = cleanPath(entry.path, 'path');
    if (path === '') {
      this.#root(entry);
      return;
    }
    const { parent, base } = splitPath(path);
    if (base.startsWith(whiteoutPrefix) || parent.includes(whiteoutPrefix)) {
      if (this.#whiteout(parent, base)) return;
    }
    this.#directory = this.#tree.resolveDirectory(parent, true)!;
    this.#base = base;
    switch (entry.type) {
      case 'file':
        this.#file(entry);
        break;
      case 'directory':
        this.#makeDirectory(entry);
        break;
      case 'symlink':
        this.#symlink(entry);
        break;
      case 'hardlink':
        this.#hardlink(entry);
        break;
      default:
        this.#node(entry);
    }
  }

  #root(entry: TarEntry): void {
    if (entry.type !== 'directory') throw new InvalidArgument('the root is not a directory');
    this.#rootDescribed = true;
    this.#describeDirectory('', entry);
  }

  #file(entry: TarEntry): void {
    const flags = openFlags.O_WRONLY | openFlags.O_CREAT | openFlags.O_EXCL | openFlags.O_NOFOLLOW;
    const name = encodeName(this.#base);
    this.#fd = this.#create(() => this.#native.openat2(this.#fdOfDirectory(), name, flags, entry.mode & 0o777, 0));
    this.#inodes++;
    if (entry.sparse === undefined) this.#blocks += Math.ceil(entry.size / 4096);
    else for (const piece of entry.sparse) this.#blocks += Math.ceil(piece.length / 4096);
  }

  #finishFile(fd: number, entry: TarEntry): void {
    if (entry.sparse !== undefined) ftruncateSync(fd, entry.size);
    const owned = entry.uid !== 0 || entry.gid !== 0;
    if (owned) fchownSync(fd, entry.uid, entry.gid);
    // chown clears setuid and setgid, and open does not take them.
    if ((entry.mode & 0o7000) !== 0) fchmodSync(fd, entry.mode);
    if (entry.xattrs !== undefined) this.#setXattrs(fd, entry.xattrs);
    this.#setTime(entry);
  }

  #makeDirectory(entry: TarEntry): void {
    const path = joinPath(this.#directory, this.#base);
    if (!this.#tree.has(path)) {
      const hidden = this.#whiteouts.delete(path);
      const name = encodeName(this.#base);
      this.#create(() => this.#native.mkdirat(this.#fdOfDirectory(), name, entry.mode & 0o777), 'directory');
      this.#tree.added(path);
      if (hidden) this.#tree.markOpaque(path);
    }
    this.#describeDirectory(path, entry);
  }

  #describeDirectory(path: string, entry: TarEntry): void {
    const again = this.#directoryEnds.has(path) || this.#tree.implied.delete(path) || path === '';
    const fd = this.#tree.fd(path);
    const owned = entry.uid !== 0 || entry.gid !== 0 || again;
    if (owned) this.#native.fchownat(fd, '.', entry.uid, entry.gid, 0);
    if ((entry.mode & 0o5000) !== 0 || again) this.#native.fchmodat(fd, '.', entry.mode & ~0o2000);
    if (entry.xattrs !== undefined) this.#setXattrs(`/proc/self/fd/${fd}/.`, entry.xattrs);
    const mode = (entry.mode & 0o2000) === 0 ? undefined : entry.mode;
    this.#directoryEnds.set(path, { sec: entry.mtimeSec, nsec: entry.mtimeNsec, mode });
  }

  #symlink(entry: TarEntry): void {
    if (entry.linkName === '') throw new InvalidArgument('symbolic link without a target');
    const name = encodeName(this.#base);
    this.#create(() => this.#native.symlinkat(encodeName(entry.linkName), this.#fdOfDirectory(), name));
    this.#inodes++;
    if (entry.linkName.length >= 60) this.#blocks++;
    this.#describeNode(entry);
  }

  #node(entry: TarEntry): void {
    const kind = { char: constants.S_IFCHR, block: constants.S_IFBLK, fifo: constants.S_IFIFO }[entry.type as 'fifo'];
    if (entry.type !== 'fifo' && ++this.#devices > this.#limits.maxDevices) {
      throw new ResourceExhausted(`layer has more than ${this.#limits.maxDevices} device nodes`);
    }
    const name = encodeName(this.#base);
    this.#create(() =>
      this.#native.mknodat(this.#fdOfDirectory(), name, kind | (entry.mode & 0o777), entry.devMajor, entry.devMinor),
    );
    this.#inodes++;
    this.#describeNode(entry);
    if ((entry.mode & 0o7000) !== 0) this.#native.fchmodat(this.#fdOfDirectory(), name, entry.mode);
  }

  /** Owner, xattrs and time of what cannot be opened: by directory and name, never following a link. */
  #describeNode(entry: TarEntry): void {
    const fd = this.#fdOfDirectory();
    const name = encodeName(this.#base);
    if (entry.uid !== 0 || entry.gid !== 0) this.#native.fchownat(fd, name, entry.uid, entry.gid, atSymlinkNoFollow);
    if (entry.xattrs !== undefined) {
      const path = Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), Buffer.from(name as string)]);
      this.#setXattrs(path, entry.xattrs);
    }
    this.#setTime(entry);
  }

  #hardlink(entry: TarEntry): void {
    const target = cleanPath(entry.linkName, 'hard link target');
    if (target === '') throw new InvalidArgument('hard link to the root');
    if (joinPath(this.#directory, this.#base) === target) return;
    if (!this.#link(target, this.#directory, this.#base)) {
      this.#deferredLinks.push({ path: joinPath(this.#directory, this.#base), target });
    }
  }

  /** Whether the target was in this layer. */
  #link(target: string, parent: string, base: string): boolean {
    const from = splitPath(target);
    const fromDirectory = this.#tree.resolveDirectory(from.parent, false);
    if (fromDirectory === undefined) return false;
    if (this.#tree.has(joinPath(fromDirectory, from.base))) {
      throw new InvalidArgument(`hard link to the directory "${target}"`);
    }
    this.#directory = parent;
    this.#base = base;
    try {
      this.#create(() => {
        // The source's descriptor first: opening a second one may close it.
        this.#tree.fd(parent);
        const fromFd = this.#tree.fd(fromDirectory);
        this.#native.linkat(fromFd, encodeName(from.base), this.#tree.fd(parent), encodeName(base), 0);
      });
      return true;
    } catch (err) {
      if (errnoOf(err) === 'ENOENT') return false;
      throw err;
    }
  }

  /** Handles whiteout names; false where the entry only looks like one. */
  #whiteout(parent: string, base: string): boolean {
    // AUFS kept its own files under such names; they never were part of an image.
    if (/(?:^|\/)\.wh\.\.wh\./.test(`${parent}/`)) return true;
    if (!base.startsWith(whiteoutPrefix)) return false;
    if (base === opaqueMarker) {
      this.#tree.markOpaque(this.#tree.resolveDirectory(parent, true)!);
      return true;
    }
    if (base.startsWith('.wh..wh.')) return true;
    const hidden = base.slice(whiteoutPrefix.length);
    if (hidden === '' || hidden === '.' || hidden === '..')
      throw new InvalidArgument(`invalid whiteout name "${base}"`);
    const directory = this.#tree.resolveDirectory(parent, true)!;
    const path = joinPath(directory, hidden);
    try {
      this.#native.mknodat(this.#tree.fd(directory), encodeName(hidden), constants.S_IFCHR, 0, 0);
      this.#whiteouts.add(path);
      this.#inodes++;
    } catch (err) {
      if (errnoOf(err) !== 'EEXIST') throw err;
      // image-spec layer.md: a whiteout hides what the layers below have, not what is beside it in its own layer.
      if (this.#tree.has(path)) this.#tree.markOpaque(path);
    }
    return true;
  }

  /** Makes something new; what an earlier entry of the same archive made under that name gives way. A directory stays for a directory. */
  #create<R>(make: () => R, kind?: 'directory'): R {
    try {
      return make();
    } catch (err) {
      if (errnoOf(err) !== 'EEXIST') throw err;
    }
    const path = joinPath(this.#directory, this.#base);
    const name = encodeName(this.#base);
    const stat = this.#native.statx(this.#fdOfDirectory(), name, atSymlinkNoFollow);
    if (isDirectory(stat.mode)) {
      if (kind === 'directory') return undefined as R;
      removeTree(this.#fdOfDirectory(), name);
      this.#native.unlinkat(this.#fdOfDirectory(), name, atRemoveDirectory);
      for (const known of this.#directoryEnds.keys()) {
        if (known === path || known.startsWith(`${path}/`)) this.#directoryEnds.delete(known);
      }
    } else {
      this.#native.unlinkat(this.#fdOfDirectory(), name, 0);
    }
    this.#tree.removed(path);
    const made = make();
    if (kind === 'directory' && isWhiteout(stat)) {
      this.#tree.added(path);
      this.#tree.markOpaque(path);
    }
    return made;
  }

  #setXattrs(target: number | Buffer | string, xattrs: ReadonlyMap<string, Uint8Array>): void {
    for (const [name, value] of xattrs) {
      // overlayfs reads these as its own: they could hide or redirect.
      if (name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.')) continue;
      try {
        this.#native.lsetxattr(target, name, value, 0);
      } catch (err) {
        // A file system without them, or a name space that is not ours to set (selinux): the file is still right without.
        const errno = errnoOf(err);
        if (errno === 'EOPNOTSUPP' || (errno === 'EPERM' && !name.startsWith('security.capability'))) continue;
        throw err;
      }
    }
  }

  #setTime(entry: TarEntry): void {
    const name = encodeName(this.#base);
    this.#native.utimensat(
      this.#fdOfDirectory(),
      name,
      0,
      utimeOmit,
      entry.mtimeSec,
      entry.mtimeNsec,
      atSymlinkNoFollow,
    );
  }

  #fdOfDirectory(): number {
    return this.#tree.fd(this.#directory);
  }

  #explain(err: unknown): Error {
    const code = err instanceof EngineError || errnoOf(err) !== undefined ? codeOf(err) : 'Internal';
    const message = err instanceof Error ? err.message : String(err);
    return new EngineError(code, `failed to unpack "${this.#current?.path}": ${message}`, { cause: err });
  }
}
