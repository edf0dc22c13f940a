// Places for what is mounted into a RUN. They must not become part of its layer, so what the file system lacks of them is made in
// a directory of its own, which is laid between the layers below and the one that the step writes.

import {
  closeSync,
  constants,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  copyDirectoryAttributes,
  encodeName,
  type Found,
  MergedView,
  type SnapshotMount,
} from '../../containerd/index.ts';
import { InvalidArgument, NotFound } from '../../errdefs/index.ts';
import { AT_FDCWD, native } from '../../launcher/index.ts';
import type { RunMountPoint } from '../backend.ts';

type Kind = 'directory' | 'file';

/** Files that the engine mounts. Of /proc, /sys and /dev the runtime makes what lacks, and BuildKit leaves that in the layer: so do we. */
const always: readonly (readonly [path: string, kind: Kind])[] = [
  ['/etc/resolv.conf', 'file'],
  ['/etc/hosts', 'file'],
];

/** A part of a tree of layers as something to mount; changes to a writable one are thrown away. */
export function bindOf(
  layers: readonly string[],
  source: string,
  target: string,
  readOnly: boolean,
  scratch: string,
): RunMountPoint {
  using view = new MergedView(layers);
  const found = view.lookup(source);
  if (found === undefined) throw new NotFound(`"${source}": not found`);
  if (found.kind === 'other') {
    const file = join(readlinkSync(`/proc/self/fd/${found.fd}`), found.name);
    if (readOnly) return { type: 'bind', source: file, target, readOnly };
    const copy = join(mkdtempSync(join(scratch, 'bind-')), 'file');
    copyFileSync(file, copy);
    return { type: 'bind', source: copy, target, readOnly };
  }
  const lowerdirs = found.directory.fds.map(fd => readlinkSync(`/proc/self/fd/${fd}`));
  if (readOnly && lowerdirs.length === 1) return { type: 'bind', source: lowerdirs[0]!, target, readOnly };
  if (readOnly) return { type: 'overlay', lowerdirs, target };
  const own = mkdtempSync(join(scratch, 'bind-'));
  const upper = { directory: join(own, 'upper'), work: join(own, 'work') };
  mkdirSync(upper.directory);
  mkdirSync(upper.work);
  return { type: 'overlay', lowerdirs, upper, target };
}

/** The root file system with all mount points in it: `directory`, an empty one, becomes the topmost layer below the writable. */
export function withMountPoints(
  own: SnapshotMount,
  directory: string,
  mounts: readonly RunMountPoint[],
): SnapshotMount {
  const lower = own.overlay?.lowerdirs ?? [];
  const upper = own.overlay?.upperdir ?? own.source;
  const work = own.overlay?.workdir ?? join(dirname(upper), 'work');
  using below = lower.length === 0 ? undefined : new MergedView(lower);
  for (const [path, kind] of always) makePoint(directory, below, path, kind);
  for (const mount of mounts) makePoint(directory, below, mount.target, kindOf(mount));
  const lowerdirs = readdirSync(directory).length === 0 && lower.length > 0 ? lower : [directory, ...lower];
  return overlayMount(lowerdirs, { directory: upper, work });
}

/** An overlay as the runtime takes it. */
export function overlayMount(
  lowerdirs: readonly string[],
  upper: { readonly directory: string; readonly work: string } | undefined,
): SnapshotMount {
  const escaped = (path: string): string => path.replace(/[\\:,]/g, '\\$&');
  return {
    type: 'overlay',
    source: 'overlay',
    options: [
      'index=off',
      ...(upper === undefined ? ['ro'] : [`workdir=${escaped(upper.work)}`, `upperdir=${escaped(upper.directory)}`]),
      `lowerdir=${lowerdirs.map(escaped).join(':')}`,
    ],
    overlay: { lowerdirs, ...(upper !== undefined && { upperdir: upper.directory, workdir: upper.work }) },
  };
}

const kindOf = (mount: RunMountPoint): Kind =>
  mount.type === 'bind' && !statSync(mount.source).isDirectory() ? 'file' : 'directory';

const directoryFlags = 0o10000000 /* O_PATH */ | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Makes one point where it lacks, and the directories on the way, as those below are. Below /proc, /sys and /dev nothing is: they are mounted over. */
function makePoint(directory: string, below: MergedView | undefined, path: string, kind: Kind): void {
  const covered = /^\/(?:proc|sys|dev)(?=\/.)/.exec(path)?.[0];
  if (covered !== undefined) {
    makePoint(directory, below, covered, 'directory');
    return;
  }
  const names = realNames(below, path);
  if (names === undefined) return;
  let fd = native().openat2(AT_FDCWD, directory, directoryFlags, 0, 0);
  try {
    let at = '';
    for (const [i, name] of names.entries()) {
      at += `/${name}`;
      const last = i === names.length - 1;
      const found: Found | undefined = below?.lookup(at, { followLast: false });
      if (last && found !== undefined) return;
      if (last && kind === 'file') {
        makeFile(fd, name);
        return;
      }
      if (found !== undefined && found.kind !== 'directory')
        throw new InvalidArgument(`cannot mount at ${path}: ${at} is not a directory`);
      const made = makeDirectory(fd, name);
      const next = native().openat2(fd, encodeName(name), directoryFlags, 0, 0);
      closeSync(fd);
      fd = next;
      if (made && found !== undefined) copyDirectoryAttributes(found.directory.fds[0]!, found.stat, fd);
    }
  } finally {
    closeSync(fd);
  }
}

/** The path without links, as far as it exists; undefined where all of it does. */
function realNames(below: MergedView | undefined, path: string): string[] | undefined {
  if (below?.lookup(path) !== undefined) return undefined;
  const parent = dirname(path);
  if (parent === path) return undefined;
  const real = below?.lookup(parent);
  const names = real === undefined ? (parent === '/' ? [] : realNames(below, parent)) : split(real.path);
  return [...(names ?? []), basename(path)];
}

const split = (path: string): string[] => path.split('/').filter(part => part !== '');

function makeDirectory(fd: number, name: string): boolean {
  try {
    native().mkdirat(fd, encodeName(name), 0o755);
    return true;
  } catch (err) {
    if ((err as { code?: string }).code === 'EEXIST') return false;
    throw err;
  }
}

function makeFile(fd: number, name: string): void {
  const flags = constants.O_CREAT | constants.O_WRONLY | constants.O_NOFOLLOW;
  closeSync(native().openat2(fd, encodeName(name), flags, 0o644, 0));
}
