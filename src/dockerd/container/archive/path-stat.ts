// The JSON of X-Docker-Container-Path-Stat: lstat in Go's words.

import { fileModeBits, type PathStat } from '../../../api/index.ts';
import { native } from '../../../launcher/index.ts';
import { formatNs } from '../../clock.ts';
import { cleanPath } from '../mounts/bind.ts';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFSOCK } from './posix.ts';
import { isLink, type Root } from './root.ts';

/** Go's FileMode number of an st_mode. */
export function goFileMode(mode: number): number {
  let bits = mode & fileModeBits.permissions;
  const kind = mode & S_IFMT;
  if (kind === S_IFDIR) bits += fileModeBits.directory;
  if (kind === S_IFLNK) bits += fileModeBits.symlink;
  if (kind === S_IFBLK) bits += fileModeBits.device;
  if (kind === S_IFCHR) bits += fileModeBits.device + fileModeBits.charDevice;
  if (kind === S_IFIFO) bits += fileModeBits.namedPipe;
  if (kind === S_IFSOCK) bits += fileModeBits.socket;
  if (mode & 0o4000) bits += fileModeBits.setuid;
  if (mode & 0o2000) bits += fileModeBits.setgid;
  if (mode & 0o1000) bits += fileModeBits.sticky;
  return bits;
}

/** What is at a path; `linkTarget` is where a link leads, as a path of the container. */
export function pathStat(root: Root, path: string): PathStat {
  const stat = root.lstat(path);
  return {
    name: path === '/' ? '/' : path.slice(path.lastIndexOf('/') + 1),
    size: stat.size,
    mode: goFileMode(stat.mode),
    mtime: formatNs(BigInt(stat.mtimeSec) * 1_000_000_000n + BigInt(stat.mtimeNsec)),
    linkTarget: isLink(stat) ? linkTarget(root, path) : '',
  };
}

function linkTarget(root: Root, path: string): string {
  try {
    return root.realPath(path);
  } catch {
    // It leads nowhere: what it says, as a path of the container.
    const { fd, name } = root.parentOf(path);
    const text = native().readlinkat(fd, name).toString();
    native().close(fd);
    return cleanPath(text.startsWith('/') ? text : `${path.slice(0, path.lastIndexOf('/'))}/${text}`);
  }
}
