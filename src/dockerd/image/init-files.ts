import { closeSync, constants } from 'node:fs';
import { copyDirectoryAttributes, type MergedView } from '../../containerd/index.ts';
import { AT_FDCWD, native } from '../../launcher/index.ts';

/** moby daemon/initlayer/setup_unix.go. */
const wanted: readonly (readonly [path: string, kind: 'directory' | 'file' | { readonly link: string }])[] = [
  ['dev/pts', 'directory'],
  ['dev/shm', 'directory'],
  ['proc', 'directory'],
  ['sys', 'directory'],
  ['.dockerenv', 'file'],
  ['etc/resolv.conf', 'file'],
  ['etc/hosts', 'file'],
  ['etc/hostname', 'file'],
  ['dev/console', 'file'],
  ['etc/mtab', { link: '/proc/mounts' }],
];

/** Makes in `upper` what `below` lacks of them. */
export function fillInitLayer(upper: string, below: MergedView | undefined): void {
  const { openat2, symlinkat } = native();
  for (const [path, kind] of wanted) {
    const slash = path.lastIndexOf('/');
    const parent = slash < 0 ? '' : path.slice(0, slash);
    const base = path.slice(slash + 1);
    if (below?.lookup(path, { followLast: false }) !== undefined) continue;
    // Where the image has a link for the directory (/etc → elsewhere), the file belongs where the link leads.
    const real = below?.lookup(parent);
    if (real !== undefined && real.kind !== 'directory') continue;
    const directory = makeDirectories(upper, below, real?.path ?? parent);
    try {
      if (kind === 'directory') makeDirectory(directory, base);
      else if (kind === 'file') {
        closeSync(openat2(directory, base, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o755, 0));
      } else symlinkat(kind.link, directory, base);
    } finally {
      closeSync(directory);
    }
  }
}

/** A descriptor of the directory in our layer; made on the way with the attributes that the image's has. */
export function makeDirectories(upper: string, below: MergedView | undefined, path: string): number {
  const { openat2 } = native();
  const flags = 0o10000000 /* O_PATH */ | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  let fd = openat2(AT_FDCWD, upper, flags, 0, 0);
  let at = '';
  for (const part of path.split('/').filter(Boolean)) {
    at = at === '' ? part : `${at}/${part}`;
    const made = makeDirectory(fd, part);
    const next = openat2(fd, part, flags, 0, 0);
    closeSync(fd);
    fd = next;
    if (!made) continue;
    const found = below?.lookup(at, { followLast: false });
    if (found?.kind === 'directory') copyDirectoryAttributes(found.directory.fds[0]!, found.stat, fd);
  }
  return fd;
}

/** Whether it was not there. */
function makeDirectory(fd: number, name: string): boolean {
  try {
    native().mkdirat(fd, name, 0o755);
    return true;
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw err;
  }
}
