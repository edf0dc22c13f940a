// What the parts of a compilation share: the two lists that grow, the slots of each, and facts of the machine.

import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { release } from 'node:os';
import type { At, Op, Slot } from '../launcher/index.ts';
import type { RuntimeSpec } from '../oci/index.ts';
import { type CgroupHost, cgroupHost } from './cgroups/host.ts';
import type { CgroupPaths } from './cgroups/paths.ts';
import { type CgroupFiles, realCgroupFiles } from './cgroups/plan.ts';
import type { NamespacePlan } from './namespaces.ts';
import { RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS } from './numbers.ts';
import type { Slots } from './slots.ts';

/** What a compilation asks of the machine. Given by hand in tests, so that a program is a function of its inputs. */
export interface HostFacts {
  readonly cgroups: CgroupHost;
  readonly cgroupFiles: CgroupFiles;
  /** Major and minor of the kernel. */
  readonly kernel: readonly [number, number];
  /** Are we root in the initial user namespace? False: rootless. */
  readonly privileged: boolean;
  /** Is this path of /proc or /sys a directory, as it is then in every container of this kernel? A hint: wrong answers cost time only. */
  readonly isKernelDirectory: (path: string) => boolean;
  /** Rootless: is our own cgroup ours to divide? */
  readonly cgroupsDelegated?: boolean;
  /** Rootless: the set-uid helpers that write maps of more ids than one's own. */
  readonly idMapHelpers?: { readonly uid: string; readonly gid: string };
}

let facts: HostFacts | undefined;

/** This machine. */
export function hostFacts(): HostFacts {
  if (facts === undefined) {
    const [major = 0, minor = 0] = release().split(/[.-]/).map(Number);
    const privileged = isPrivileged();
    const cgroups = cgroupHost();
    facts = {
      cgroups,
      cgroupFiles: realCgroupFiles,
      kernel: [major, minor],
      privileged,
      isKernelDirectory: memoized(isKernelDirectory),
      ...(!privileged && { cgroupsDelegated: isDelegated(cgroups), ...findIdMapHelpers() }),
    };
  }
  return facts;
}

const isKernelDirectory = (path: string): boolean =>
  /^\/(proc|sys)\//.test(path) && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function memoized(answer: (path: string) => boolean): (path: string) => boolean {
  const known = new Map<string, boolean>();
  return path => {
    const before = known.get(path);
    if (before !== undefined) return before;
    const now = answer(path);
    known.set(path, now);
    return now;
  };
}

/** Root in a user namespace that maps only some ids is no root of the machine: it can neither make devices nor open its disks. */
function isPrivileged(): boolean {
  if (process.geteuid?.() !== 0) return false;
  const map = readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/);
  return map.join(' ') === '0 0 4294967295';
}

function isDelegated({ mode, unified }: CgroupHost): boolean {
  if (mode !== 'unified' || unified === undefined) return false;
  try {
    accessSync(unified.mountpoint + unified.own, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function findIdMapHelpers(): Pick<HostFacts, 'idMapHelpers'> {
  const find = (name: string) =>
    ['/usr/bin', '/bin', '/usr/local/bin'].map(directory => `${directory}/${name}`).find(path => existsSync(path));
  const uid = find('newuidmap');
  const gid = find('newgidmap');
  return uid && gid ? { idMapHelpers: { uid, gid } } : {};
}

export const kernelAtLeast = (host: HostFacts, major: number, minor: number): boolean =>
  host.kernel[0] > major || (host.kernel[0] === major && host.kernel[1] >= minor);

export const allCapabilities = (1n << 64n) - 1n;

let bounded: bigint | undefined;

/** What we may give: our own bounding set. A test's facts have no limit. */
export function availableCapabilities(facts: HostFacts): bigint {
  if (facts !== hostFacts()) return allCapabilities;
  if (bounded === undefined) {
    const match = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    bounded = match === null ? allCapabilities : BigInt(`0x${match[1]}`);
  }
  return bounded;
}

/** A container being compiled. */
export interface Compilation {
  readonly id: string;
  readonly spec: RuntimeSpec;
  readonly bundle: string;
  readonly facts: HostFacts;
  readonly cgroups: CgroupPaths;
  /** The first process's list, up to the clone and after it. */
  readonly host: Op[];
  /** The list of the container's init. */
  readonly init: Op[];
  readonly slots: Slots;
  readonly namespaces: NamespacePlan;
  /** Is there a new user namespace, whose maps we write? */
  readonly newUserNamespace: boolean;
  /** Is there a user namespace, new or joined? Then what needs the host's privileges (opening sources, idmapping) is done in `host`. */
  readonly userNamespace: boolean;
}

/** A path inside the container's root, to be looked up so that neither links nor `..` nor /proc's magic links lead out of it. */
export function inside(root: Slot, path: string): At {
  return { dir: root, path: path.replace(/^\/+/, '') || '.', resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
}

/** The same, where even a link that stays inside is an attack: mount points of procfs and sysfs (CVE-2019-16884, CVE-2019-19921) and the console (CVE-2025-52565). */
export function insideWithoutLinks(root: Slot, path: string): At {
  return { ...inside(root, path), resolve: RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS };
}
