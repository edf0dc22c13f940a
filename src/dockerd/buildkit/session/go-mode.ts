// Go's os.FileMode and st_mode.

import { constants } from 'node:fs';

export const goModes = {
  directory: 0x80000000,
  symlink: 0x08000000,
  device: 0x04000000,
  namedPipe: 0x02000000,
  socket: 0x01000000,
  setuid: 0x00800000,
  setgid: 0x00400000,
  charDevice: 0x00200000,
  sticky: 0x00100000,
} as const;

const types = new Map<number, number>([
  [constants.S_IFDIR, goModes.directory],
  [constants.S_IFLNK, goModes.symlink],
  [constants.S_IFBLK, goModes.device],
  [constants.S_IFCHR, goModes.device + goModes.charDevice],
  [constants.S_IFIFO, goModes.namedPipe],
  [constants.S_IFSOCK, goModes.socket],
]);

/** Go's FileMode of an st_mode. */
export function goMode(mode: number): number {
  let result = (mode & 0o777) + (types.get(mode & constants.S_IFMT) ?? 0);
  if ((mode & 0o4000) !== 0) result += goModes.setuid;
  if ((mode & 0o2000) !== 0) result += goModes.setgid;
  if ((mode & 0o1000) !== 0) result += goModes.sticky;
  return result;
}

/** Permission bits, setuid, setgid and sticky of a Go FileMode. */
export const permissionsOf = (mode: number): number =>
  (mode & 0o777) |
  ((mode & goModes.setuid) !== 0 ? 0o4000 : 0) |
  ((mode & goModes.setgid) !== 0 ? 0o2000 : 0) |
  ((mode & goModes.sticky) !== 0 ? 0o1000 : 0);
