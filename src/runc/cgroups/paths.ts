import { posix } from 'node:path';
import { InvalidArgument } from '../../errdefs/index.ts';
import type { CgroupHost } from './host.ts';

/** Where a container's cgroups are. Plain data: it goes into a container's state file. */
export interface CgroupPaths {
  /** v1: controller → directory; controllers of one hierarchy name the same directory. */
  readonly v1: Readonly<Record<string, string>>;
  /** The directory in cgroup2, also in hybrid mode. */
  readonly v2?: string;
}

/**
 * The directories for `cgroupsPath` (runtime-spec config-linux.md "Cgroups Path"): an absolute one is relative to the mount of each
 * hierarchy, a relative one to our own cgroup, none at all means our own cgroup and the id. What runc does, so that both find the same.
 */
export function cgroupPaths(host: CgroupHost, cgroupsPath: string | undefined, id: string): CgroupPaths {
  const wanted = cgroupsPath === undefined || cgroupsPath === '' ? id : cgroupsPath;
  if (wanted.includes('\0')) throw new InvalidArgument('cgroupsPath must not contain a zero byte');
  if (/^[^/:]*:[^:]*:[^:]*$/.test(wanted)) {
    throw new InvalidArgument(
      `cgroupsPath "${wanted}" is systemd's "slice:prefix:name": the systemd cgroup driver is not supported, give a path`,
    );
  }
  // Cleaned from the root on, so that ".." cannot leave the mount.
  const clean = posix.join('/', wanted);
  if (clean === '/') throw new InvalidArgument(`cgroupsPath "${wanted}" would be the root of the hierarchy`);
  const place = (mountpoint: string, own: string) =>
    mountpoint + (wanted.startsWith('/') ? clean : posix.join(own, clean));
  const v1: Record<string, string> = {};
  for (const { controllers, mountpoint, own } of host.hierarchies) {
    for (const controller of controllers) v1[controller] = place(mountpoint, own);
  }
  return { v1, ...(host.unified && { v2: place(host.unified.mountpoint, host.unified.own) }) };
}

/** The v1 directories, each once. */
export const v1Directories = (paths: CgroupPaths): readonly string[] => [...new Set(Object.values(paths.v1))];
