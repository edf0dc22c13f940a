// Device nodes, the links every container has in /dev (runtime-spec config-linux.md "Default Devices"), and the console.

import { posix } from 'node:path';
import { InvalidArgument } from '../../errdefs/index.ts';
import type { At, Op, Slot } from '../../launcher/index.ts';
import type { Device } from '../../oci/index.ts';
import { type Compilation, inside, insideWithoutLinks } from '../compilation.ts';
import * as n from '../numbers.ts';
import { own } from '../own.ts';

const why = 'runtime-spec config-linux.md: Default Devices';

/** Character devices that every container has. */
const defaultDevices: readonly Device[] = [
  { path: '/dev/null', type: 'c', major: 1, minor: 3, fileMode: 0o666 },
  { path: '/dev/random', type: 'c', major: 1, minor: 8, fileMode: 0o666 },
  { path: '/dev/full', type: 'c', major: 1, minor: 7, fileMode: 0o666 },
  { path: '/dev/tty', type: 'c', major: 5, minor: 0, fileMode: 0o666 },
  { path: '/dev/zero', type: 'c', major: 1, minor: 5, fileMode: 0o666 },
  { path: '/dev/urandom', type: 'c', major: 1, minor: 9, fileMode: 0o666 },
];

const defaultLinks: readonly (readonly [string, string])[] = [
  ['/dev/fd', '/proc/self/fd'],
  ['/dev/stdin', '/proc/self/fd/0'],
  ['/dev/stdout', '/proc/self/fd/1'],
  ['/dev/stderr', '/proc/self/fd/2'],
];

const fileTypes: Readonly<Record<string, number>> = { c: n.S_IFCHR, u: n.S_IFCHR, b: n.S_IFBLK, p: n.S_IFIFO };

/** The nodes to make: the spec's own, which win, and the default ones. */
export function devices(compilation: Compilation): readonly Device[] {
  const own = compilation.spec.linux?.devices ?? [];
  const named = new Set(own.map(device => posix.normalize(device.path)));
  return [...defaultDevices.filter(device => !named.has(device.path)), ...own];
}

/** Where a path of /dev is: in the tmpfs that we mounted there, whose descriptor nobody can turn elsewhere, else in the root. */
export function devPath(root: Slot, dev: Slot | undefined, path: string): At {
  if (dev !== undefined && path.startsWith('/dev/')) {
    return { dir: dev, path: path.slice('/dev/'.length), resolve: n.RESOLVE_BENEATH | n.RESOLVE_NO_MAGICLINKS };
  }
  return inside(root, path);
}

/** In a user namespace nodes cannot be made: the host's are bound instead, opened while they are in view. Returns what attaches them. */
export function prepareDeviceBinds(compilation: Compilation): (root: Slot) => void {
  if (!compilation.userNamespace && compilation.facts.privileged) return () => undefined;
  const bound = devices(compilation).map(device => {
    const onHost = compilation.facts.privileged;
    const slot = onHost ? compilation.slots.takeInherited() : compilation.slots.take();
    (onHost ? compilation.host : compilation.init).push({
      op: 'openTree',
      slot,
      recursive: false,
      path: device.path,
      why: "no device can be made in a user namespace: the host's is bound",
      failure: `error creating device nodes: bind "${device.path}"`,
    });
    return { device, slot };
  });
  return root => {
    for (const { device, slot } of bound) {
      compilation.init.push(
        { op: 'moveMount', slot, make: 'file', ...inside(root, device.path), why },
        { op: 'close', slot },
      );
      compilation.slots.give(slot);
    }
  };
}

/** Makes the nodes. umask is 0 then. */
export function makeDevices(compilation: Compilation, root: Slot, dev: Slot | undefined): void {
  if (compilation.userNamespace || !compilation.facts.privileged) return;
  for (const device of devices(compilation)) {
    const type = own(fileTypes, device.type);
    if (type === undefined) throw new InvalidArgument(`device "${device.path}" has invalid type "${device.type}"`);
    const at = devPath(root, dev, posix.normalize(device.path));
    const parent = posix.dirname(at.path);
    if (parent !== '.' && parent !== '/')
      compilation.init.push({ op: 'mkdir', ...at, path: parent, mode: 0o755, parents: true, why });
    compilation.init.push({
      op: 'mknod',
      ...at,
      mode: type | ((device.fileMode ?? 0o666) & 0o7777),
      major: device.major ?? 0,
      minor: device.minor ?? 0,
      tolerate: ['EEXIST'],
      why: `${device.path}: ${why}`,
      failure: `error creating device nodes: mknod "${device.path}"`,
    });
    if (device.uid || device.gid) {
      compilation.init.push({ op: 'chown', ...at, uid: device.uid ?? 0, gid: device.gid ?? 0, why });
    }
  }
}

/** The links of /dev. An image that has its own keeps them. */
export function makeDevLinks(compilation: Compilation, root: Slot, dev: Slot | undefined): void {
  const { init } = compilation;
  for (const [path, target] of defaultLinks) {
    init.push({ op: 'symlink', ...devPath(root, dev, path), target, tolerate: ['EEXIST'], why });
  }
  init.push({ op: 'unlink', ...devPath(root, dev, '/dev/ptmx'), tolerate: ['ENOENT', 'EBUSY'], why });
  init.push({ op: 'symlink', ...devPath(root, dev, '/dev/ptmx'), target: 'pts/ptmx', tolerate: ['EEXIST'], why });
}

/**
 * The pty of a container with `terminal`: opened in the container's own devpts, its master sent out, its slave bound over /dev/console.
 * The target is looked up without following any link (CVE-2025-52565).
 */
export function openConsole(compilation: Compilation, root: Slot, pts: Slot | undefined, dev: Slot | undefined): Slot {
  const { init, slots, spec } = compilation;
  const master = slots.take();
  const slave = slots.take();
  const size = spec.process?.consoleSize;
  const ptmx: At =
    pts === undefined ? inside(root, '/dev/pts/ptmx') : { dir: pts, path: 'ptmx', resolve: n.RESOLVE_NO_SYMLINKS };
  const words = { why: 'runtime-spec config.md: process.terminal', failure: 'unable to set up the console' };
  init.push(
    {
      op: 'openPty',
      ...ptmx,
      master,
      slave,
      rows: size?.height ?? 0,
      columns: size?.width ?? 0,
      uid: spec.process?.user.uid ?? 0,
      ...words,
    },
    { op: 'sendFd', slot: master, ...words },
    { op: 'close', slot: master },
  );
  slots.give(master);
  const console: At =
    dev === undefined
      ? insideWithoutLinks(root, '/dev/console')
      : { dir: dev, path: 'console', resolve: n.RESOLVE_BENEATH | n.RESOLVE_NO_SYMLINKS };
  const bound = slots.take();
  init.push(
    { op: 'openTree', slot: bound, dir: slave, path: '', recursive: false, ...words },
    { op: 'moveMount', slot: bound, make: 'file', ...console, ...words },
    { op: 'close', slot: bound },
  );
  slots.give(bound);
  return slave;
}

/** A read-only /dev turns so only now that all its nodes are made. */
export function sealDev(ops: Op[], dev: Slot): void {
  ops.push({
    op: 'mountSetattr',
    slot: dev,
    set: n.MOUNT_ATTR_RDONLY,
    clear: 0,
    propagation: 0,
    recursive: false,
    why,
  });
}
