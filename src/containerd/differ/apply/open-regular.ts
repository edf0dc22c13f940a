import { closeSync, constants, openSync } from 'node:fs';
import { InvalidArgument } from '../../../errdefs/index.ts';
import { native } from '../../../launcher/index.ts';
import { isRegular, openFlags } from './posix.ts';

const atEmptyPath = 0x1000;

/**
 * Opens a regular file for reading, and nothing else. A running container may swap what was just looked at: a FIFO would hold us
 * for ever, a device would do something. So the name is pinned first, looked at, and only then opened.
 */
export function openRegular(directoryFd: number, name: string | Buffer): number {
  const { openat2, statx } = native();
  const pinned = openat2(directoryFd, name, openFlags.O_PATH | openFlags.O_NOFOLLOW, 0, 0);
  try {
    if (!isRegular(statx(pinned, '', atEmptyPath).mode)) {
      throw new InvalidArgument(`"${name}" is not a regular file`);
    }
    return openSync(`/proc/self/fd/${pinned}`, constants.O_RDONLY);
  } finally {
    closeSync(pinned);
  }
}
