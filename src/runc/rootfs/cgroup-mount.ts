// A mount of type `cgroup`: the container's view of its cgroups, in whatever version the machine has.

import { posix } from 'node:path';
import type { Op, Slot } from '../../launcher/index.ts';
import type { Mount } from '../../oci/index.ts';
import type { Compilation } from '../compilation.ts';
import * as n from '../numbers.ts';
import type { MountOptions } from './mount-options.ts';
import type { PreparedMount } from './mounts.ts';

const spec = (mount: Mount) => `runtime-spec config.md Mounts: ${mount.destination}`;

/** Prepares the one cgroup2 mount, or the tmpfs with one mount per v1 hierarchy that a v1 machine has. */
export function prepareCgroupMount(compilation: Compilation, mount: Mount, options: MountOptions): PreparedMount {
  return compilation.facts.cgroups.mode === 'unified'
    ? prepareV2(compilation, mount, options)
    : prepareV1(compilation, mount, options);
}

const newCgroupNamespace = (compilation: Compilation): boolean =>
  (compilation.spec.linux?.namespaces ?? []).some(namespace => namespace.type === 'cgroup');

function prepareV2(compilation: Compilation, mount: Mount, options: MountOptions): PreparedMount {
  const slot = compilation.slots.take();
  const words = { why: spec(mount), failure: `error mounting "cgroup" to rootfs at "${mount.destination}"` };
  if (newCgroupNamespace(compilation)) {
    compilation.init.push({
      op: 'fsmount',
      slot,
      type: 'cgroup2',
      source: 'cgroup',
      options: options.data,
      attributes: options.set,
      ...words,
    });
  } else {
    compilation.init.push(...bind(slot, compilation.cgroups.v2!, options.set, words));
  }
  return { mount, options, slot, make: 'directory' };
}

function bind(slot: Slot, path: string, set: number, words: object): readonly Op[] {
  return [
    { op: 'openTree', slot, recursive: false, path, ...words },
    { op: 'mountSetattr', slot, set, clear: 0, propagation: 0, recursive: false, ...words },
  ];
}

function prepareV1(compilation: Compilation, mount: Mount, options: MountOptions): PreparedMount {
  const { init, slots, facts } = compilation;
  const words = { why: spec(mount), failure: `error mounting "cgroup" to rootfs at "${mount.destination}"` };
  const flags = n.MOUNT_ATTR_NOSUID | n.MOUNT_ATTR_NODEV | n.MOUNT_ATTR_NOEXEC;
  const slot = slots.take();
  init.push({
    op: 'fsmount',
    slot,
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['mode=755'],
    attributes: flags,
    ...words,
  });
  const namespaced = newCgroupNamespace(compilation);
  const hierarchies = facts.cgroups.hierarchies.map(({ controllers, mountpoint }) => {
    const inner = slots.take();
    if (namespaced) {
      init.push({
        op: 'fsmount',
        slot: inner,
        type: 'cgroup',
        source: 'cgroup',
        options: controllers,
        attributes: options.set | flags,
        ...words,
      });
    } else {
      init.push(...bind(inner, compilation.cgroups.v1[controllers[0]!]!, options.set, words));
    }
    return { inner, name: posix.basename(mountpoint), controllers };
  });
  return {
    mount,
    options,
    slot,
    make: 'directory',
    inner: ops => {
      for (const { inner, name, controllers } of hierarchies) {
        ops.push(
          { op: 'mkdir', dir: slot, path: name, mode: 0o755, ...words },
          { op: 'moveMount', slot: inner, dir: slot, path: name, ...words },
          { op: 'close', slot: inner },
        );
        slots.give(inner);
        if (controllers.length < 2) continue;
        // cpu and cpuacct in one hierarchy cpu,cpuacct: each is found under its own name.
        for (const controller of controllers)
          ops.push({ op: 'symlink', dir: slot, path: controller, target: name, ...words });
      }
    },
  };
}
