import { closeSync, readdirSync } from 'node:fs';
import { native } from '../../../launcher/index.ts';
import { atRemoveDirectory, errnoOf, openFlags } from './posix.ts';

/** Removes everything inside a directory, not the directory itself. By descriptors: a link is removed, never followed. */
export function removeTree(parentFd: number, name: string | Buffer): void {
  const { openat2, unlinkat } = native();
  const fd = openat2(parentFd, name, openFlags.O_RDONLY | openFlags.O_DIRECTORY | openFlags.O_NOFOLLOW, 0, 0);
  try {
    for (const entry of readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' })) {
      try {
        unlinkat(fd, entry, 0);
      } catch (err) {
        if (errnoOf(err) !== 'EISDIR') throw err;
        removeTree(fd, entry);
        unlinkat(fd, entry, atRemoveDirectory);
      }
    }
  } finally {
    closeSync(fd);
  }
}
