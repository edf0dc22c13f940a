// How this machine's cgroups are laid out, read once: /proc/self/mountinfo says where, /proc/self/cgroup says where we are.
//
//     unified  one cgroup2 on /sys/fs/cgroup (what most machines have)
//     legacy   one v1 hierarchy per controller, or per pair such as cpu,cpuacct
//     hybrid   legacy, and a cgroup2 without controllers on /sys/fs/cgroup/unified: it still gives cgroup.kill and a freezer

import { readFileSync } from 'node:fs';
import { FailedPrecondition } from '../../errdefs/index.ts';

/** One v1 hierarchy. */
export interface Hierarchy {
  /** `memory`, `cpu`; of a named one `name=systemd`. */
  readonly controllers: readonly string[];
  readonly mountpoint: string;
  /** Our own cgroup in it. */
  readonly own: string;
}

export interface CgroupHost {
  readonly mode: 'unified' | 'legacy' | 'hybrid';
  readonly hierarchies: readonly Hierarchy[];
  /** The cgroup2 mount, in `hybrid` without controllers. */
  readonly unified?: { readonly mountpoint: string; readonly own: string };
}

/** A mountinfo field: octal escapes for space, tab, newline and backslash. */
const unescapeField = (field: string): string =>
  field.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Reads the layout out of the texts of /proc/self/mountinfo and /proc/self/cgroup. */
export function parseCgroupHost(mountinfo: string, cgroup: string): CgroupHost {
  const own = new Map<string, string>();
  for (const line of cgroup.split('\n')) {
    const match = /^(\d+):([^:]*):(.*)$/.exec(line);
    if (match === null) continue;
    for (const controller of match[2]!.split(',')) own.set(controller, match[3]!);
  }
  const hierarchies: Hierarchy[] = [];
  let unified: CgroupHost['unified'];
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ');
    if (after === undefined) continue;
    const [type, , superOptions = ''] = after.split(' ');
    const fields = before!.split(' ');
    const mountpoint = unescapeField(fields[4] ?? '');
    if (type === 'cgroup2') {
      // Bind mounts of the same hierarchy may be anywhere; the first is the machine's own.
      unified ??= { mountpoint, own: own.get('') ?? '/' };
    } else if (type === 'cgroup') {
      const controllers = superOptions.split(',').filter(option => own.has(option));
      if (controllers.length === 0) continue;
      if (hierarchies.some(known => known.controllers[0] === controllers[0])) continue;
      hierarchies.push({ controllers, mountpoint, own: own.get(controllers[0]!) ?? '/' });
    }
  }
  if (hierarchies.length === 0) {
    if (unified === undefined) {
      throw new FailedPrecondition('no cgroup mount found: mount cgroup2 on /sys/fs/cgroup first');
    }
    return { mode: 'unified', hierarchies, unified };
  }
  return unified === undefined ? { mode: 'legacy', hierarchies } : { mode: 'hybrid', hierarchies, unified };
}

let cached: CgroupHost | undefined;

/** This machine's layout. */
export function cgroupHost(): CgroupHost {
  cached ??= parseCgroupHost(readFileSync('/proc/self/mountinfo', 'utf8'), readFileSync('/proc/self/cgroup', 'utf8'));
  return cached;
}
