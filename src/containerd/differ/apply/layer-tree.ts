// The directory that a layer is unpacked into. Every name is acted on relative to the descriptor of its directory, which was
// opened without following links: whatever an archive holds, nothing outside of the root is ever touched.

import { closeSync } from 'node:fs';
import { InvalidArgument } from '../../../errdefs/index.ts';
import { type Native, native } from '../../../launcher/index.ts';
import { decodeName, encodeName } from '../tar/name.ts';
import { joinPath } from './entry-path.ts';
import { atSymlinkNoFollow, errnoOf, isDirectory, isSymlink, isWhiteout, openFlags, resolveFlags } from './posix.ts';

const maxLinkHops = 255;
const maxOpenDirectories = 128;

export class LayerTree {
  readonly #native: Native = native();
  readonly rootFd: number;
  /** Real directories of this layer, by path from the root without any link in it. */
  readonly #directories = new Set<string>(['']);
  /** Where asked-for directory paths lead; equal unless there is a link in them. */
  readonly #resolved = new Map<string, string>([['', '']]);
  /** Open descriptors, the latest opened last. */
  readonly #open = new Map<string, number>();
  /** Directories that an entry needed but no entry described. */
  readonly implied = new Set<string>();

  constructor(root: string) {
    this.rootFd = this.#native.openat2(-100, root, openFlags.O_PATH | openFlags.O_DIRECTORY, 0, 0);
  }

  close(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
    closeSync(this.rootFd);
  }

  /** A descriptor (O_PATH) of a real directory; valid at least until another directory is asked for. */
  fd(path: string): number {
    if (path === '') return this.rootFd;
    const known = this.#open.get(path);
    if (known !== undefined) return known;
    if (this.#open.size >= maxOpenDirectories) {
      const [oldest, fd] = this.#open.entries().next().value!;
      closeSync(fd);
      this.#open.delete(oldest);
    }
    const fd = this.#native.openat2(
      this.rootFd,
      encodeName(path),
      openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_NOFOLLOW,
      0,
      resolveFlags.BENEATH | resolveFlags.NO_SYMLINKS,
    );
    this.#open.set(path, fd);
    return fd;
  }

  /** Something was made a directory. */
  added(path: string): void {
    this.#directories.add(path);
  }

  directories(): Iterable<string> {
    return this.#directories;
  }

  has(path: string): boolean {
    return this.#directories.has(path);
  }

  /** A directory was removed with everything below, or a link that led somewhere was. */
  removed(path: string): void {
    const below = `${path}/`;
    for (const known of [...this.#directories]) {
      if (known !== path && !known.startsWith(below)) continue;
      this.#directories.delete(known);
      this.implied.delete(known);
      const fd = this.#open.get(known);
      if (fd !== undefined) closeSync(fd);
      this.#open.delete(known);
    }
    this.#resolved.clear();
    this.#resolved.set('', '');
  }

  /**
   * The real directory that `path` leads to, links taken as a process inside the root would. What is missing is made, and
   * remembered as implied; with `create` false, undefined is answered then.
   */
  resolveDirectory(path: string, create: boolean): string | undefined {
    const known = this.#resolved.get(path);
    if (known !== undefined) return known;
    const found = this.#walk(path, create);
    if (found !== undefined) this.#resolved.set(path, found);
    return found;
  }

  #walk(path: string, create: boolean): string | undefined {
    let real = '';
    let hops = 0;
    const left = path.split('/').reverse();
    while (left.length > 0) {
      const part = left.pop()!;
      if (part === '' || part === '.') continue;
      if (part === '..') {
        real = real.slice(0, Math.max(0, real.lastIndexOf('/')));
        continue;
      }
      const next = joinPath(real, part);
      if (this.#directories.has(next)) {
        real = next;
        continue;
      }
      const name = encodeName(part);
      const stat = this.#stat(this.fd(real), name);
      if (stat !== undefined && isSymlink(stat.mode)) {
        if (++hops > maxLinkHops) throw new InvalidArgument(`too many levels of symbolic links in "${path}"`);
        const target = decodeName(this.#native.readlinkat(this.fd(real), name));
        if (target.startsWith('/')) real = '';
        left.push(...target.split('/').reverse());
        continue;
      }
      if (stat !== undefined && isDirectory(stat.mode)) {
        this.#directories.add(next);
        real = next;
        continue;
      }
      if (!create) return undefined;
      if (stat !== undefined && !isWhiteout(stat)) {
        throw new InvalidArgument(`"${next}" is not a directory, but "${path}" is below it`);
      }
      this.#makeImplied(real, part, next, stat !== undefined);
      real = next;
    }
    return real;
  }

  #makeImplied(parent: string, part: string, path: string, wasWhiteout: boolean): void {
    const name = encodeName(part);
    if (wasWhiteout) this.#native.unlinkat(this.fd(parent), name, 0);
    this.#native.mkdirat(this.fd(parent), name, 0o755);
    this.#directories.add(path);
    this.implied.add(path);
    // What was there below is gone by the whiteout, so nothing of it may show through.
    if (wasWhiteout) this.markOpaque(path);
  }

  markOpaque(path: string): void {
    this.#native.lsetxattr(`/proc/self/fd/${this.fd(path)}/.`, 'trusted.overlay.opaque', Buffer.from('y'), 0);
  }

  #stat(fd: number, name: string | Buffer) {
    try {
      return this.#native.statx(fd, name, atSymlinkNoFollow);
    } catch (err) {
      if (errnoOf(err) === 'ENOENT') return undefined;
      throw err;
    }
  }
}
