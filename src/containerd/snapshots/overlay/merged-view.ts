// What overlayfs would show of a stack of layers, looked up without mounting it. Links are taken as a process inside would take
// them; the host's files are never reached: every step is relative to a descriptor and follows no link.

import { closeSync, readdirSync } from 'node:fs';
import { InvalidArgument, NotFound } from '../../../errdefs/index.ts';
import { native, type Stat } from '../../../launcher/index.ts';
import { joinPath } from '../../differ/apply/entry-path.ts';
import { openRegular } from '../../differ/apply/open-regular.ts';
import {
  atSymlinkNoFollow,
  errnoOf,
  isDirectory,
  isSymlink,
  isWhiteout,
  openFlags,
  resolveFlags,
} from '../../differ/apply/posix.ts';
import { decodeName, encodeName } from '../../differ/tar/name.ts';

const maxLinkHops = 40;

/** A directory as the layers have it together. */
export interface MergedDirectory {
  readonly path: string;
  /** One descriptor (O_PATH) per layer that has part in it, topmost first. */
  readonly fds: readonly number[];
  /** Attributes are the topmost's. */
  readonly stat: Stat;
}

export type Found =
  | { readonly kind: 'directory'; readonly directory: MergedDirectory; readonly stat: Stat; readonly path: string }
  /** `fd` is the directory that holds it, in the layer it comes from. */
  | { readonly kind: 'other'; readonly fd: number; readonly name: string; readonly stat: Stat; readonly path: string };

export class MergedView implements Disposable {
  readonly #root: MergedDirectory;
  readonly #directories = new Map<string, MergedDirectory>();
  readonly #fds = new Set<number>();

  /** Layers topmost first: lowerdirs of a mount, with the upper in front where there is one. */
  constructor(layers: readonly string[]) {
    const flags = openFlags.O_PATH | openFlags.O_DIRECTORY;
    const fds: number[] = [];
    for (const layer of layers) {
      const fd = native().openat2(-100, layer, flags, 0, 0);
      this.#fds.add(fd);
      fds.push(fd);
      // An upper directory may hide everything below its root.
      if (isOpaque(fd)) break;
    }
    if (fds[0] === undefined) throw new InvalidArgument('view of no layers');
    this.#root = { path: '', fds, stat: native().statx(fds[0], '.', 0) };
  }

  [Symbol.dispose](): void {
    this.close();
  }

  close(): void {
    for (const fd of this.#fds) closeSync(fd);
    this.#fds.clear();
  }

  /** What is at `path`; a link at its end is followed unless told not to. Undefined where there is nothing, or a link leads nowhere. */
  lookup(path: string, options: { followLast?: boolean } = {}): Found | undefined {
    const trail: MergedDirectory[] = [this.#root];
    let hops = 0;
    const left = path.split('/').reverse();
    while (left.length > 0) {
      const part = left.pop()!;
      if (part === '' || part === '.') continue;
      if (part === '..') {
        if (trail.length > 1) trail.pop();
        continue;
      }
      const here = trail.at(-1)!;
      const child = this.child(here, part);
      if (child === undefined) return undefined;
      if (child.kind === 'directory') {
        trail.push(child.directory);
        continue;
      }
      const last = left.every(rest => rest === '' || rest === '.');
      if (!isSymlink(child.stat.mode)) return last ? child : undefined;
      if (last && options.followLast === false) return child;
      if (++hops > maxLinkHops) throw new InvalidArgument(`too many levels of symbolic links in "${path}"`);
      const target = decodeName(native().readlinkat(child.fd, encodeName(child.name)));
      if (target.startsWith('/')) trail.length = 1;
      left.push(...target.split('/').reverse());
    }
    const directory = trail.at(-1)!;
    return { kind: 'directory', directory, stat: directory.stat, path: directory.path };
  }

  /** One name in a directory, nothing followed. */
  child(directory: MergedDirectory, name: string): Found | undefined {
    const path = joinPath(directory.path, name);
    const known = this.#directories.get(path);
    if (known !== undefined) return { kind: 'directory', directory: known, stat: known.stat, path };
    const fds: number[] = [];
    let top: Stat | undefined;
    const encoded = encodeName(name);
    for (const fd of directory.fds) {
      const stat = statOrUndefined(fd, encoded);
      if (stat === undefined) continue;
      if (isWhiteout(stat)) break;
      if (!isDirectory(stat.mode)) {
        if (top === undefined) return { kind: 'other', fd, name, stat, path };
        break;
      }
      top ??= stat;
      const opened = native().openat2(
        fd,
        encoded,
        openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_NOFOLLOW,
        0,
        resolveFlags.BENEATH | resolveFlags.NO_SYMLINKS,
      );
      this.#fds.add(opened);
      fds.push(opened);
      if (isOpaque(opened)) break;
    }
    if (top === undefined) return undefined;
    const merged: MergedDirectory = { path, fds, stat: top };
    this.#directories.set(path, merged);
    return { kind: 'directory', directory: merged, stat: top, path };
  }

  /** Names in a directory, sorted; whiteouts and what they hide left out. */
  list(directory: MergedDirectory): string[] {
    const names = new Set<string>();
    const hidden = new Set<string>();
    for (const fd of directory.fds) {
      for (const entry of readdirSync(`/proc/self/fd/${fd}`, { withFileTypes: true, encoding: 'buffer' })) {
        const name = decodeName(entry.name);
        if (names.has(name) || hidden.has(name)) continue;
        if (entry.isCharacterDevice() && isWhiteout(native().statx(fd, encodeName(name), atSymlinkNoFollow))) {
          hidden.add(name);
        } else {
          names.add(name);
        }
      }
    }
    return [...names].sort();
  }

  /** Lets go of a directory and what was found below it: a walk holds only the path that it is on. */
  forget(directory: MergedDirectory): void {
    for (const [path, known] of this.#directories) {
      if (known !== directory && !path.startsWith(`${directory.path}/`)) continue;
      this.#directories.delete(path);
      for (const fd of known.fds) if (this.#fds.delete(fd)) closeSync(fd);
    }
  }

  get root(): MergedDirectory {
    return this.#root;
  }

  /** Opens a regular file for reading; the descriptor is the caller's. NotFound where there is none. */
  openFile(path: string): number {
    const found = this.lookup(path);
    if (found === undefined) throw new NotFound(`"${path}" does not exist`);
    if (found.kind === 'directory') throw new InvalidArgument(`"${path}" is not a regular file`);
    return openRegular(found.fd, encodeName(found.name));
  }
}

export function isOpaque(fd: number): boolean {
  const value = native().lgetxattr(`/proc/self/fd/${fd}/.`, 'trusted.overlay.opaque');
  return value !== null && value.toString('latin1') === 'y';
}

function statOrUndefined(fd: number, name: string | Buffer): Stat | undefined {
  try {
    return native().statx(fd, name, atSymlinkNoFollow);
  } catch (err) {
    if (errnoOf(err) === 'ENOENT') return undefined;
    throw err;
  }
}
