// Mounts on the host, for volumes with driver options and shared /dev/shm: mount(2), no mount program.

import { closeSync, readlinkSync } from 'node:fs';
import { InvalidArgument } from '../../errdefs/index.ts';
import { native } from '../../launcher/index.ts';
import type { Mounter } from './volume.ts';

const flags: Readonly<Record<string, number>> = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 16,
  remount: 32,
  dirsync: 128,
  noatime: 1024,
  nodiratime: 2048,
  bind: 4096,
  rbind: 4096 | 16_384,
  relatime: 1 << 21,
  strictatime: 1 << 24,
};
const noOps = new Set(['rw', 'defaults', 'suid', 'dev', 'exec', 'async', 'atime', 'loud']);

const readOnlyBind = 1 | 32 | 4096;
const detach = 2;

export const hostMounter: Mounter = {
  mount(source, target, type, options) {
    let bits = 0;
    const data: string[] = [];
    for (const option of options) {
      if (flags[option] !== undefined) bits |= flags[option];
      else if (!noOps.has(option)) data.push(option);
    }
    const isBind = (bits & 4096) !== 0;
    native().mount(source, target, type, isBind ? bits & ~1 : bits, data.join(','));
    // A bind takes its flags only by a second call.
    if (isBind && (bits & 1) !== 0) native().mount('', target, '', readOnlyBind, '');
  },
  unmount(target) {
    native().umount2(target, detach);
  },
};

const openPath = 0o10000000;
const resolveInRoot = 0x10;
const atCwd = -100;

/** A volume's subpath, looked up with openat2 so that no link leads out of the volume. */
export function resolveBelow(directory: string, relative: string): string {
  const { openat2 } = native();
  const root = openat2(atCwd, directory, openPath, 0, 0);
  try {
    const fd = openat2(root, relative, openPath, 0, resolveInRoot);
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } finally {
      closeSync(fd);
    }
  } catch {
    const path = `${directory}/${relative}`;
    throw new InvalidArgument(`cannot access path ${path}: lstat ${path}: no such file or directory`);
  } finally {
    closeSync(root);
  }
}
