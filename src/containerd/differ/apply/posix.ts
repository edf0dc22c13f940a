// Numbers of Linux that Node does not name, for the calls of the addon.

import { constants } from 'node:fs';
import type { Stat } from '../../../launcher/index.ts';

export const openFlags = {
  O_WRONLY: constants.O_WRONLY,
  O_RDONLY: constants.O_RDONLY,
  O_CREAT: constants.O_CREAT,
  O_EXCL: constants.O_EXCL,
  O_NOFOLLOW: constants.O_NOFOLLOW,
  O_DIRECTORY: constants.O_DIRECTORY,
  O_NOATIME: constants.O_NOATIME,
  O_PATH: 0o10000000,
} as const;

/** linux/openat2.h */
export const resolveFlags = { NO_MAGICLINKS: 0x02, NO_SYMLINKS: 0x04, BENEATH: 0x08, IN_ROOT: 0x10 } as const;

export const atSymlinkNoFollow = 0x100;
export const atRemoveDirectory = 0x200;
export const utimeOmit = 0x3ffffffe;

export const isDirectory = (mode: number): boolean => (mode & constants.S_IFMT) === constants.S_IFDIR;
export const isSymlink = (mode: number): boolean => (mode & constants.S_IFMT) === constants.S_IFLNK;
export const isRegular = (mode: number): boolean => (mode & constants.S_IFMT) === constants.S_IFREG;

/** overlayfs hides a name of the layers below by a character device 0:0. */
export const isWhiteout = (stat: Stat): boolean =>
  (stat.mode & constants.S_IFMT) === constants.S_IFCHR && stat.rdevMajor === 0 && stat.rdevMinor === 0;

export const errnoOf = (err: unknown): string | undefined => (err as { code?: string } | undefined)?.code;
