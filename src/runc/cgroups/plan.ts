// The ops that make a container's cgroups and let its processes in.
//
// The container's first process joins by itself. Writing its pid into cgroup.procs from outside waits for an RCU grace period (10 ms
// measured); a single-threaded process that writes "0" into `tasks` does not, and neither does CLONE_INTO_CGROUP.

import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

import type { Op, Slot } from '../../launcher/index.ts';
import type { Resources } from '../../oci/index.ts';
import { O_CLOEXEC, O_DIRECTORY, O_PATH, O_RDONLY } from '../numbers.ts';
import type { Slots } from '../slots.ts';
import { devicePolicy, deviceProgram, v1DeviceWrites } from './devices.ts';
import type { CgroupHost } from './host.ts';
import { type CgroupPaths, v1Directories } from './paths.ts';
import { type CgroupValue, v1Values, v2Values } from './values.ts';

/** What a plan must know of files that others may have written; a map in tests. */
export interface CgroupFiles {
  read(path: string): string | undefined;
}

/** The machine's own files. */
export const realCgroupFiles: CgroupFiles = {
  read: path => (existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined),
};

export interface CgroupPlan {
  /** To run before the clone: directories and limits. */
  readonly create: readonly Op[];
  /** cgroup2 directory for CLONE_INTO_CGROUP, opened by `create`. */
  readonly into?: Slot;
  /** To run by the process itself, first of all, while it is single-threaded and sees the host's files. */
  readonly join: readonly Op[];
}

const spec = (property: string) => `runtime-spec config-linux.md: resources.${property}`;

const write = (path: string, data: string, extra: Partial<Op> = {}): Op =>
  ({ op: 'write', path, data, ...extra }) as Op;

/** The write of one limit, with what users are told when the kernel refuses it. */
function limit(directory: string, { file, value, property, optional }: CgroupValue): Op {
  return write(`${directory}/${file}`, value, {
    why: spec(property),
    failure: `failed to write "${value}" to "${directory}/${file}"`,
    ...(optional && { tolerate: ['ENOENT', 'EOPNOTSUPP', 'EACCES'] as const }),
  });
}

/** Plans the cgroups of a new container. `host` says where; `files` is asked what a parent's cpuset allows. */
export function planCgroups(
  host: CgroupHost,
  paths: CgroupPaths,
  resources: Resources,
  slots: Slots,
  files: CgroupFiles = realCgroupFiles,
): CgroupPlan {
  const create: Op[] = [];
  if (host.mode === 'unified') create.push(...v2Create(host, paths, resources, slots, files));
  else create.push(...v1Create(host, paths, resources, files));
  if (paths.v2 === undefined) return { create, join: joinV1(paths) };
  if (host.mode === 'hybrid') {
    create.push({
      op: 'mkdir',
      path: paths.v2,
      mode: 0o755,
      parents: true,
      why: 'cgroup2 without controllers: gives cgroup.kill and a freezer',
    });
  }
  const { op, into } = openInto(paths.v2, slots);
  create.push(op);
  return { create, into, join: joinV1(paths) };
}

/** Plans how an exec's process gets into the cgroups of its container. */
export function planJoin(paths: CgroupPaths, slots: Slots): CgroupPlan {
  if (paths.v2 === undefined) return { create: [], join: joinV1(paths) };
  const { op, into } = openInto(paths.v2, slots);
  return { create: [op], into, join: joinV1(paths) };
}

function openInto(directory: string, slots: Slots): { op: Op; into: Slot } {
  const into = slots.takeInherited();
  return {
    into,
    op: {
      op: 'open',
      slot: into,
      path: directory,
      flags: O_PATH | O_DIRECTORY | O_CLOEXEC,
      why: 'for CLONE_INTO_CGROUP',
      failure: 'unable to open the cgroup',
    },
  };
}

const joinV1 = (paths: CgroupPaths): readonly Op[] =>
  v1Directories(paths).map(directory =>
    write(`${directory}/tasks`, '0', {
      why: 'the process joins its cgroup itself: no RCU wait',
      failure: `unable to apply cgroup configuration: failed to write 0 to "${directory}/tasks"`,
    }),
  );

function v1Create(host: CgroupHost, paths: CgroupPaths, resources: Resources, files: CgroupFiles): readonly Op[] {
  const ops: Op[] = [];
  const values = v1Values(resources);
  for (const { controllers, mountpoint } of host.hierarchies) {
    const directory = paths.v1[controllers[0]!]!;
    if (controllers.includes('cpuset')) ops.push(...seedCpuset(mountpoint, directory, files));
    ops.push({
      op: 'mkdir',
      path: directory,
      mode: 0o755,
      parents: true,
      why: `cgroup v1: ${controllers.join(',')}`,
      failure: 'unable to apply cgroup configuration: mkdir',
    });
    if (controllers.includes('cpuset')) ops.push(...fillCpuset(mountpoint, directory, files));
    for (const value of values) if (controllers.includes(value.controller)) ops.push(limit(directory, value));
    if (controllers.includes('devices')) {
      for (const { file, value } of v1DeviceWrites(devicePolicy(resources.devices ?? []))) {
        ops.push(write(`${directory}/${file}`, value, { why: spec('devices') }));
      }
    }
  }
  for (const value of values) {
    if (!Object.hasOwn(paths.v1, value.controller) && !value.optional) {
      // Named by a failing write below a directory that is not there: the error says which file could not be set.
      ops.push(limit(posix.join('/sys/fs/cgroup', value.controller), value));
    }
  }
  return ops;
}

/**
 * A new cpuset is empty, and nothing can join an empty one. `cgroup.clone_children` in the parent makes the kernel fill in the parent's
 * cpus and memory nodes at mkdir, which costs nothing; writing them each time rebuilds scheduler domains. So every ancestor of
 * ours is filled once and told to clone.
 */
function seedCpuset(mountpoint: string, directory: string, files: CgroupFiles): readonly Op[] {
  const ops: Op[] = [];
  const ancestors: string[] = [];
  for (let at = posix.dirname(directory); at.length >= mountpoint.length; at = posix.dirname(at)) ancestors.unshift(at);
  for (const at of ancestors) {
    if (files.read(`${at}/cgroup.clone_children`) === '1') continue;
    if (at !== mountpoint)
      ops.push({ op: 'mkdir', path: at, mode: 0o755, parents: true, why: 'cgroup v1: parent of the cpuset' });
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      const inherited = at === mountpoint || files.read(`${at}/${file}`);
      if (!inherited) {
        const value = effective(ancestors, at, file, files);
        ops.push(write(`${at}/${file}`, value, { why: 'an empty cpuset takes no process' }));
      }
    }
    if (at !== mountpoint) {
      ops.push(
        write(`${at}/cgroup.clone_children`, '1', { why: 'new children start with these cpus and memory nodes' }),
      );
    }
  }
  return ops;
}

/** Right below the root, which we do not tell to clone, the container's own cpuset is filled by hand. */
function fillCpuset(mountpoint: string, directory: string, files: CgroupFiles): readonly Op[] {
  if (posix.dirname(directory) !== mountpoint || files.read(`${mountpoint}/cgroup.clone_children`) === '1') return [];
  return ['cpuset.cpus', 'cpuset.mems'].map(file =>
    write(`${directory}/${file}`, files.read(`${mountpoint}/${file}`) ?? '0', {
      why: 'an empty cpuset takes no process',
    }),
  );
}

function effective(ancestors: readonly string[], at: string, file: string, files: CgroupFiles): string {
  for (const above of ancestors.slice(0, ancestors.indexOf(at)).reverse()) {
    const value = files.read(`${above}/${file}`);
    if (value) return value;
  }
  return '0';
}

function v2Create(
  host: CgroupHost,
  paths: CgroupPaths,
  resources: Resources,
  slots: Slots,
  files: CgroupFiles,
): readonly Op[] {
  const ops: Op[] = [];
  const directory = paths.v2!;
  const mountpoint = host.unified!.mountpoint;
  const available = (files.read(`${mountpoint}/cgroup.controllers`) ?? '').split(' ').filter(Boolean);
  const ancestors: string[] = [];
  for (let at = posix.dirname(directory); at.length >= mountpoint.length; at = posix.dirname(at)) ancestors.unshift(at);
  for (const at of ancestors) {
    const enabled = (files.read(`${at}/cgroup.subtree_control`) ?? '').split(' ');
    const missing = available.filter(controller => !enabled.includes(controller));
    if (at !== mountpoint && files.read(`${at}/cgroup.subtree_control`) === undefined) {
      ops.push({ op: 'mkdir', path: at, mode: 0o755, parents: true, why: 'cgroup v2: parent' });
    }
    // One write per controller: one that cannot be enabled (cpu with realtime processes about) must not keep the others away.
    for (const controller of missing) {
      ops.push(
        write(`${at}/cgroup.subtree_control`, `+${controller}`, {
          why: 'cgroup v2: controllers reach the container from its ancestors',
          tolerate: ['EBUSY', 'EINVAL', 'ENOENT', 'EOPNOTSUPP', 'EACCES', 'EPERM', 'ENODEV'],
        }),
      );
    }
  }
  ops.push({
    op: 'mkdir',
    path: directory,
    mode: 0o755,
    parents: true,
    why: 'cgroup v2',
    failure: 'unable to apply cgroup configuration: mkdir',
  });
  for (const value of v2Values(resources)) ops.push(limit(directory, value));
  const policy = devicePolicy(resources.devices ?? []);
  // A program that allows all would only cost time at every open.
  if (!policy.allowAll || policy.exceptions.length > 0) {
    const cgroup = slots.takeOutside();
    ops.push(
      {
        op: 'open',
        slot: cgroup,
        path: directory,
        flags: O_RDONLY | O_DIRECTORY | O_CLOEXEC,
        why: 'for the device program',
      },
      { op: 'deviceFilter', cgroup, program: deviceProgram(policy), why: spec('devices') },
      { op: 'close', slot: cgroup },
    );
  }
  return ops;
}
