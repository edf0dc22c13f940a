// The mounts of a spec in two steps: `prepare` makes each as a detached mount while the host's files are still in view, `attach` puts
// them into the container's root, in the listed order, after the host's root is gone. A path of the container is so never looked
// up while it could lead to the host.

import { posix, resolve } from 'node:path';
import { InvalidArgument, NotImplemented } from '../../errdefs/index.ts';
import type { At, Op, Slot } from '../../launcher/index.ts';
import type { IdMapping, Mount } from '../../oci/index.ts';
import { type Compilation, inside, insideWithoutLinks } from '../compilation.ts';
import * as n from '../numbers.ts';
import { openUserNamespace } from '../user-namespace.ts';
import { prepareCgroupMount } from './cgroup-mount.ts';
import { type MountOptions, parseMountOptions } from './mount-options.ts';

/** A mount that exists but is nowhere yet. */
export interface PreparedMount {
  readonly mount: Mount;
  readonly options: MountOptions;
  readonly slot: Slot;
  /** Attaches what lies inside this mount, once it is in place (the controllers of a v1 cgroup mount). */
  readonly inner?: (ops: Op[]) => void;
  readonly make: 'directory' | 'same';
}

/** Where user mounts may go in /proc: files that tools such as lxcfs replace. Everything else below /proc and /sys would let a container lie to us. */
const procAllowed: ReadonlySet<string> = new Set([
  '/proc/cpuinfo',
  '/proc/diskstats',
  '/proc/meminfo',
  '/proc/stat',
  '/proc/swaps',
  '/proc/uptime',
  '/proc/loadavg',
  '/proc/slabinfo',
  '/proc/sys/kernel/ns_last_pid',
  '/proc/sys/crypto/fips_enabled',
  '/proc/net/dev',
]);

const clean = (path: string): string => posix.normalize(`/${path}`).replace(/(.)\/$/, '$1');

/** File systems without a backing device or path: made fresh in the container's namespaces. */
const pseudo: ReadonlySet<string> = new Set(['proc', 'sysfs', 'tmpfs', 'devpts', 'mqueue']);

function checkDestination(mount: Mount, destination: string, bind: boolean): void {
  const type = mount.type ?? 'none';
  if (destination === '/') throw new InvalidArgument('mount destination / is the root itself');
  if (destination === '/proc' || destination.startsWith('/proc/')) {
    if (destination === '/proc' && type === 'proc') return;
    if (procAllowed.has(destination)) return;
    // A bind of the host's own /proc is what `--pid=host -v /proc:/proc` of Docker and rootless nesting want.
    if (destination === '/proc' && bind && clean(mount.source ?? '') === '/proc') return;
    throw new InvalidArgument(`"${destination}" cannot be mounted because it is inside /proc`);
  }
}

/** Makes every mount of the spec; those whose cgroups are asked for included. */
export function prepareMounts(compilation: Compilation): readonly PreparedMount[] {
  const prepared: PreparedMount[] = [];
  for (const mount of compilation.spec.mounts ?? []) {
    if (mount.destination === undefined || mount.destination === '')
      throw new InvalidArgument('a mount has no destination');
    const destination = clean(mount.destination);
    const options = parseMountOptions(mount.options ?? []);
    const type = mount.type ?? 'none';
    const bind = options.bind || type === 'bind';
    checkDestination(mount, destination, bind);
    const normal: Mount = { ...mount, destination };
    if (type === 'cgroup' && !bind) prepared.push(prepareCgroupMount(compilation, normal, options));
    else if (bind) prepared.push(prepareBind(compilation, normal, options));
    else prepared.push(prepareFileSystem(compilation, normal, options));
  }
  return prepared;
}

const spec = (mount: Mount) => `runtime-spec config.md Mounts: ${mount.destination}`;

const failure = (source: string, mount: Mount) => `error mounting "${source}" to rootfs at "${mount.destination}"`;

function prepareBind(compilation: Compilation, mount: Mount, options: MountOptions): PreparedMount {
  if (mount.source === undefined || mount.source === '') {
    throw new InvalidArgument(`bind mount at "${mount.destination}" has no source`);
  }
  const source = resolve(compilation.bundle, mount.source);
  // With a user namespace the container's root may not be allowed to see the source: the host opens it (as runc does).
  const onHost =
    compilation.facts.privileged &&
    (compilation.userNamespace || options.idmap !== undefined || mount.uidMappings !== undefined);
  const list = onHost ? compilation.host : compilation.init;
  const slot = onHost ? compilation.slots.takeInherited() : compilation.slots.take();
  const words = { why: spec(mount), failure: failure(source, mount) };
  list.push({ op: 'openTree', slot, recursive: options.recursive, path: source, ...words });
  const idmap = idmapping(compilation, mount, options);
  if (idmap !== undefined) {
    list.push({
      op: 'mountSetattr',
      slot,
      set: n.MOUNT_ATTR_IDMAP,
      clear: 0,
      propagation: 0,
      userns: idmap,
      recursive: options.idmap === 'ridmap',
      ...words,
    });
  }
  // Opened in the host's mount namespace it is a peer of the host's mount; in ours it is a slave already.
  const shared = compilation.spec.linux?.rootfsPropagation?.includes('shared') === true;
  if (onHost && !shared) pushPropagation(list, slot, n.MS_SLAVE | n.MS_REC, words);
  pushAttributes(list, slot, options, words);
  for (const mode of options.propagation) pushPropagation(list, slot, mode, words);
  return { mount, options, slot, make: 'same' };
}

function idmapping(compilation: Compilation, mount: Mount, options: MountOptions): Slot | undefined {
  const wanted = options.idmap !== undefined || mount.uidMappings !== undefined || mount.gidMappings !== undefined;
  if (!wanted) return undefined;
  const uids: readonly IdMapping[] | undefined = mount.uidMappings ?? compilation.spec.linux?.uidMappings;
  const gids: readonly IdMapping[] | undefined = mount.gidMappings ?? compilation.spec.linux?.gidMappings;
  if (uids === undefined || gids === undefined || uids.length === 0 || gids.length === 0) {
    throw new InvalidArgument(`id-mapped mount at "${mount.destination}" needs uidMappings and gidMappings`);
  }
  if (!compilation.facts.privileged)
    throw new NotImplemented('id-mapped mounts are not supported in rootless containers');
  return openUserNamespace(compilation, uids, gids);
}

function pushAttributes(list: Op[], slot: Slot, options: MountOptions, words: object): void {
  if (options.set !== 0 || options.clear !== 0) {
    list.push({
      op: 'mountSetattr',
      slot,
      set: options.set,
      clear: options.clear,
      propagation: 0,
      recursive: false,
      ...words,
    });
  }
  if (options.recursiveSet !== 0 || options.recursiveClear !== 0) {
    list.push({
      op: 'mountSetattr',
      slot,
      set: options.recursiveSet,
      clear: options.recursiveClear,
      propagation: 0,
      recursive: true,
      ...words,
    });
  }
}

function pushPropagation(list: Op[], slot: Slot, mode: number, words: object): void {
  const recursive = (mode & n.MS_REC) !== 0;
  list.push({ op: 'mountSetattr', slot, set: 0, clear: 0, propagation: mode & ~n.MS_REC, recursive, ...words });
}

function prepareFileSystem(compilation: Compilation, mount: Mount, options: MountOptions): PreparedMount {
  const type = mount.type ?? 'none';
  if (type === 'none' || type === '') throw new InvalidArgument(`mount at "${mount.destination}" has no type`);
  const onHost = compilation.facts.privileged && compilation.userNamespace && !pseudo.has(type) && type !== 'overlay';
  const list = onHost ? compilation.host : compilation.init;
  const slot = onHost ? compilation.slots.takeInherited() : compilation.slots.take();
  const source = mount.source ?? type;
  const words = { why: spec(mount), failure: failure(source, mount) };
  // /dev turns read-only only after its nodes are made (see devices.ts).
  const set = mount.destination === '/dev' ? options.set & ~n.MOUNT_ATTR_RDONLY : options.set;
  list.push({
    op: 'fsmount',
    slot,
    type,
    source,
    options: type === 'overlay' ? overlayOptions(options.data) : options.data,
    attributes: set | options.recursiveSet,
    ...words,
  });
  for (const mode of options.propagation) pushPropagation(list, slot, mode, words);
  return { mount, options, slot, make: 'directory' };
}

/** fsconfig(2) takes 255 bytes per option: many lower directories go one by one (kernel 6.8). */
export function overlayOptions(data: readonly string[]): readonly string[] {
  return data.flatMap(option => {
    if (!option.startsWith('lowerdir=') || option.length < 250) return [option];
    return option
      .slice('lowerdir='.length)
      .split(/(?<!\\):/)
      .map(directory => `lowerdir+=${directory.replaceAll('\\:', ':')}`);
  });
}

/** Puts the prepared mounts into the root, in order. Descriptors that later steps still need are in `keep`. */
export function attachMounts(
  compilation: Compilation,
  prepared: readonly PreparedMount[],
  root: Slot,
  keep: ReadonlySet<Slot>,
): void {
  const { init, slots } = compilation;
  for (const { mount, options, slot, inner, make } of prepared) {
    const words = { why: spec(mount), failure: failure(mount.source ?? mount.type ?? 'none', mount) };
    // As runc: a link on the way to a procfs or sysfs would let the image choose where it goes.
    const strict = mount.type === 'proc' || mount.type === 'sysfs';
    const target: At = (strict ? insideWithoutLinks : inside)(root, mount.destination);
    if (options.tmpcopyup && mount.type === 'tmpfs') {
      init.push({ op: 'copyUp', slot, maxBytes: 2 ** 30, ...target, tolerate: ['ENOENT'], ...words });
    }
    init.push({ op: 'moveMount', slot, make, ...target, ...words });
    inner?.(init);
    if (!keep.has(slot)) {
      init.push({ op: 'close', slot });
      slots.give(slot);
    }
  }
}
