// A container's root in the worker: a descriptor of its "/", and look-ups that cannot leave it.

import { closeSync, mkdirSync, readlinkSync, statSync } from 'node:fs';
import { codeOf, InvalidArgument, NotFound } from '../../../errdefs/index.ts';
import { native, type Stat } from '../../../launcher/index.ts';
import type { RootSource } from './job.ts';
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  CLONE_NEWNS,
  MS_BIND,
  MS_REC,
  MS_SLAVE,
  O_PATH,
  RESOLVE_IN_ROOT,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
} from './posix.ts';

const O_DIRECTORY = 0o200000;
const O_NOFOLLOW = 0o400000;
const O_CREAT = 0o100;
const O_EXCL = 0o200;

export class Root implements Disposable {
  readonly fd: number;

  constructor(source: RootSource) {
    this.fd = source.kind === 'process' ? openProcessRoot(source.pid) : mountRoot(source);
  }

  /** O_PATH of what is at `path`, links followed inside the root. */
  open(path: string, flags = O_PATH): number {
    return native().openat2(this.fd, path, flags, 0, RESOLVE_IN_ROOT);
  }

  /** The directory that holds the last part of a path, and that part; '.' for the root itself. */
  parentOf(path: string): { fd: number; name: string } {
    const at = path.lastIndexOf('/');
    const name = path.slice(at + 1);
    if (name === '') return { fd: this.open('/'), name: '.' };
    return { fd: this.open(path.slice(0, at) || '/', O_PATH | O_DIRECTORY), name };
  }

  /** What is at a path; a link at its end is not followed. NotFound. */
  lstat(path: string): Stat {
    const { fd, name } = this.#parentToLook(path);
    try {
      return native().statx(fd, name, AT_SYMLINK_NOFOLLOW);
    } finally {
      closeSync(fd);
    }
  }

  /** A file among the parents, in the words of Docker's look-up. */
  #parentToLook(path: string): { fd: number; name: string } {
    try {
      return this.parentOf(path);
    } catch (err) {
      if (/not a directory$/i.test(String((err as Error).message)))
        throw new InvalidArgument(`lstat ${path}: not a directory`);
      throw err;
    }
  }

  /** Where a path leads in the end, as the container would name it. */
  realPath(path: string): string {
    const rootPath = readlinkSync(`/proc/self/fd/${this.fd}`);
    const fd = this.open(path);
    try {
      const real = readlinkSync(`/proc/self/fd/${fd}`);
      if (rootPath === '/') return real;
      return real === rootPath ? '/' : real.startsWith(`${rootPath}/`) ? real.slice(rootPath.length) : real;
    } finally {
      closeSync(fd);
    }
  }

  /** A directory's path with all links followed; errors in Docker's words. */
  requireDirectory(path: string): void {
    let fd: number;
    try {
      fd = this.open(path);
    } catch (err) {
      if (codeOf(err) === 'NotFound') throw new NotFound(`Could not find the file ${path}`, { cause: undefined });
      throw err;
    }
    try {
      if ((native().statx(fd, '', 0x1000).mode & S_IFMT) !== S_IFDIR) {
        throw new InvalidArgument('extraction point is not a directory');
      }
    } finally {
      closeSync(fd);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

export const isLink = (stat: Stat): boolean => (stat.mode & S_IFMT) === S_IFLNK;
export const isDirectory = (stat: Stat): boolean => (stat.mode & S_IFMT) === S_IFDIR;

function openProcessRoot(pid: number): number {
  return native().openat2(AT_FDCWD, `/proc/${pid}/root`, O_PATH | O_DIRECTORY, 0, 0);
}

/** In a mount namespace of this thread alone: when the thread ends, so do the mounts. */
function mountRoot(source: Extract<RootSource, { kind: 'mounts' }>): number {
  const { mount, openat2, unshare } = native();
  unshare(CLONE_NEWNS);
  mount('', '/', '', MS_REC | MS_SLAVE, '');
  const { lowerdirs, upperdir, workdir } = source.overlay;
  const escaped = (path: string): string => path.replace(/[\\:,]/g, '\\$&');
  // Whoever only reads gets an upper directory that vanishes, so that mount points can be made.
  mount('tmpfs', source.place, 'tmpfs', 0, 'mode=700');
  for (const name of ['upper', 'work', 'root']) mkdirSync(`${source.place}/${name}`);
  const root = `${source.place}/root`;
  const options = [
    `lowerdir=${lowerdirs.map(escaped).join(':')}`,
    `upperdir=${escaped(upperdir ?? `${source.place}/upper`)}`,
    `workdir=${escaped(workdir ?? `${source.place}/work`)}`,
  ];
  mount('overlay', root, 'overlay', 0, options.join(','));
  const fd = openat2(AT_FDCWD, root, O_PATH | O_DIRECTORY, 0, 0);
  try {
    for (const bind of source.binds) bindInto(fd, bind);
  } catch (err) {
    closeSync(fd);
    throw err;
  }
  return fd;
}

function bindInto(root: number, bind: { readonly source: string; readonly target: string }): void {
  const found = statSync(bind.source, { throwIfNoEntry: false });
  if (found === undefined) return; // what it binds is gone
  const target = mountPoint(root, bind.target, !found.isDirectory());
  try {
    native().mount(bind.source, `/proc/thread-self/fd/${target}`, '', MS_BIND | MS_REC, '');
  } finally {
    closeSync(target);
  }
}

/** What a mount goes on, made with its parents where a container that never ran has none yet; looked up inside the root. */
function mountPoint(root: number, path: string, isFile: boolean): number {
  const { openat2, mkdirat } = native();
  try {
    return openat2(root, path, O_PATH, 0, RESOLVE_IN_ROOT);
  } catch (err) {
    if (codeOf(err) !== 'NotFound') throw err;
  }
  const at = path.lastIndexOf('/');
  const parent = mountPoint(root, path.slice(0, at) || '/', false);
  try {
    const name = path.slice(at + 1);
    if (isFile) closeSync(openat2(parent, name, O_CREAT | O_EXCL, 0o644, 0));
    else mkdirat(parent, name, 0o755);
    return openat2(parent, name, O_PATH | O_NOFOLLOW, 0, 0);
  } finally {
    closeSync(parent);
  }
}

export { O_DIRECTORY, O_NOFOLLOW };
