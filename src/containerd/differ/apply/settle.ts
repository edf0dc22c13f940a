// The part of unpacking that needs the layers below, done once they are there: directories that the archive did not describe take
// their attributes from below, hard links to files of a lower layer get a copy of the file.

import { closeSync, constants, readdirSync } from 'node:fs';
import { InvalidArgument } from '../../../errdefs/index.ts';
import { native, type Stat } from '../../../launcher/index.ts';
import { type Found, MergedView } from '../../snapshots/overlay/merged-view.ts';
import { decodeName, encodeName } from '../tar/name.ts';
import type { DeferredLink } from './applier.ts';
import { joinPath, splitPath } from './entry-path.ts';
import { LayerTree } from './layer-tree.ts';
import { atRemoveDirectory, atSymlinkNoFollow, errnoOf, isRegular, isSymlink, openFlags, utimeOmit } from './posix.ts';

export interface SettleOptions {
  /** The layer's directory. */
  readonly root: string;
  /** Of the layers below, topmost first. */
  readonly lowerdirs: readonly string[];
  readonly implied: readonly string[];
  readonly deferredLinks: readonly DeferredLink[];
}

export function settle({ root, lowerdirs, implied, deferredLinks }: SettleOptions): void {
  if (lowerdirs.length === 0) {
    const [first] = deferredLinks;
    if (first !== undefined) throw missingTarget(first);
    return;
  }
  const tree = new LayerTree(root);
  try {
    using below = new MergedView(lowerdirs);
    const settling: Settling = { tree, below, fromBelow: new Set(implied) };
    // 1 Parents first, since a parent may turn out to be a link and be moved away with what is in it.
    for (const path of [...implied].sort()) followLink(settling, path);
    // 2 Links may need directories that are not here yet.
    for (const link of deferredLinks) settleLink(settling, link);
    // 3 Times last: every step before changed some.
    for (const path of settling.fromBelow) {
      const found = below.lookup(path, { followLast: false });
      // Not `path`: with a link on the way it was moved to where the link leads.
      if (found?.kind === 'directory') {
        copyDirectoryAttributes(found.directory.fds[0]!, found.stat, tree.fd(found.path));
      }
    }
  } finally {
    tree.close();
  }
}

interface Settling {
  readonly tree: LayerTree;
  readonly below: MergedView;
  /** Directories that take their attributes from below. */
  readonly fromBelow: Set<string>;
}

/** `lib/x` in the archive where below `lib` is a link to `usr/lib`: the file belongs where the link leads. */
function followLink(settling: Settling, path: string): void {
  const { below, fromBelow } = settling;
  const found = below.lookup(path, { followLast: false });
  if (found === undefined || !isSymlink(found.stat.mode)) return;
  const target = below.lookup(path);
  if (target?.kind !== 'directory' || target.path === path) return;
  moveInto(settling, path, target.path);
  fromBelow.delete(path);
}

function moveInto(settling: Settling, from: string, to: string): void {
  const { openat2, unlinkat, renameat2 } = native();
  const { tree } = settling;
  makeDirectories(settling, to);
  const parent = splitPath(from);
  const flags = openFlags.O_RDONLY | openFlags.O_DIRECTORY | openFlags.O_NOFOLLOW;
  const fd = openat2(tree.fd(parent.parent), encodeName(parent.base), flags, 0, 0);
  try {
    for (const name of readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' })) {
      try {
        renameat2(fd, name, tree.fd(to), name, 1 /* RENAME_NOREPLACE */);
      } catch (err) {
        if (errnoOf(err) !== 'EEXIST') throw err;
        moveInto(settling, joinPath(from, decodeName(name)), joinPath(to, decodeName(name)));
      }
    }
  } finally {
    closeSync(fd);
  }
  tree.removed(from);
  unlinkat(tree.fd(parent.parent), encodeName(parent.base), atRemoveDirectory);
}

/** Makes the directories on the way to `path` where the layer lacks them, as they are below. */
function makeDirectories({ tree, fromBelow }: Settling, path: string): void {
  let at = '';
  for (const part of path.split('/').filter(Boolean)) {
    const parent = at;
    at = joinPath(at, part);
    try {
      native().mkdirat(tree.fd(parent), encodeName(part), 0o755);
    } catch (err) {
      if (errnoOf(err) === 'EEXIST') continue;
      throw err;
    }
    fromBelow.add(at);
  }
}

/** What overlayfs shows of a merged directory is the topmost's attributes, so ours must be those below. */
export function copyDirectoryAttributes(fromFd: number, stat: Stat, toFd: number): void {
  const { fchownat, fchmodat, utimensat, llistxattr, lgetxattr, lsetxattr } = native();
  const from = `/proc/self/fd/${fromFd}/.`;
  fchownat(toFd, '.', stat.uid, stat.gid, 0);
  fchmodat(toFd, '.', stat.mode & 0o7777);
  for (const name of llistxattr(from)) {
    if (name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.')) continue;
    const value = lgetxattr(from, name);
    if (value !== null) lsetxattr(`/proc/self/fd/${toFd}/.`, name, value, 0);
  }
  utimensat(toFd, '.', 0, utimeOmit, stat.mtimeSec, stat.mtimeNsec, 0);
}

function settleLink(settling: Settling, link: DeferredLink): void {
  const { tree, below } = settling;
  const { linkat } = native();
  const from = splitPath(link.target);
  const found = below.lookup(link.target, { followLast: false });
  if (found === undefined || found.kind === 'directory') throw missingTarget(link);
  const real = splitPath(found.path);
  makeDirectories(settling, real.parent);
  copyUp(found, tree.fd(real.parent), encodeName(from.base));
  const to = splitPath(link.path);
  const toDirectory = tree.resolveDirectory(to.parent, true)!;
  linkat(tree.fd(real.parent), encodeName(from.base), tree.fd(toDirectory), encodeName(to.base), 0);
}

/** Copies one file, link or node from a lower layer, with all that it has. Nothing happens where it is there already. */
function copyUp(found: Extract<Found, { kind: 'other' }>, toFd: number, name: string | Buffer): void {
  const { openat2, copyFileRange, symlinkat, readlinkat, mknodat, fchownat, fchmodat, utimensat } = native();
  const { stat, fd } = found;
  const source = encodeName(found.name);
  try {
    if (isRegular(stat.mode)) {
      const flags = openFlags.O_WRONLY | openFlags.O_CREAT | openFlags.O_EXCL | openFlags.O_NOFOLLOW;
      const to = openat2(toFd, name, flags, 0o600, 0);
      const from = openat2(fd, source, openFlags.O_RDONLY | openFlags.O_NOFOLLOW, 0, 0);
      try {
        while (copyFileRange(from, null, to, null, 1 << 30) > 0);
        fchownat(toFd, name, stat.uid, stat.gid, atSymlinkNoFollow);
        copyXattrs(from, to);
      } finally {
        closeSync(from);
        closeSync(to);
      }
    } else {
      if (isSymlink(stat.mode)) symlinkat(readlinkat(fd, source), toFd, name);
      else mknodat(toFd, name, stat.mode & (constants.S_IFMT | 0o777), stat.rdevMajor, stat.rdevMinor);
      fchownat(toFd, name, stat.uid, stat.gid, atSymlinkNoFollow);
    }
  } catch (err) {
    if (errnoOf(err) === 'EEXIST') return;
    throw err;
  }
  if (!isSymlink(stat.mode)) fchmodat(toFd, name, stat.mode & 0o7777);
  utimensat(toFd, name, 0, utimeOmit, stat.mtimeSec, stat.mtimeNsec, atSymlinkNoFollow);
}

function copyXattrs(from: number, to: number): void {
  const { llistxattr, lgetxattr, lsetxattr } = native();
  for (const name of llistxattr(from)) {
    const value = name.startsWith('trusted.overlay.') ? null : lgetxattr(from, name);
    if (value !== null) lsetxattr(to, name, value, 0);
  }
}

const missingTarget = (link: DeferredLink) =>
  new InvalidArgument(`failed to unpack "${link.path}": hard link target "${link.target}" does not exist`);
