// The container's root: mounted inside its own mount namespace, entered by pivot_root, and filled.
//
// Order, and why: what needs the host's files is opened first; then the root becomes "/" and the host's is gone; only then are paths of
// the container looked up, to attach mounts, make devices and hide files. Where hooks must see the container's mounts under the root's
// path of the host (createContainer and before), the pivot comes last, and every look-up is bounded by RESOLVE_IN_ROOT all the same.

import { posix, resolve } from 'node:path';
import { InvalidArgument } from '../../errdefs/index.ts';
import type { At, Op, Slot } from '../../launcher/index.ts';
import type { Mount } from '../../oci/index.ts';
import { type Compilation, inside, kernelAtLeast } from '../compilation.ts';
import * as n from '../numbers.ts';
import { devPath, makeDevices, makeDevLinks, openConsole, prepareDeviceBinds, sealDev } from './devices.ts';
import { parseMountOptions, propagationFlags } from './mount-options.ts';
import { attachMounts, overlayOptions, type PreparedMount, prepareMounts } from './mounts.ts';
import { sysctlWrites } from './sysctl.ts';

/** What later steps hold of the root. */
export interface EnteredRoot {
  readonly root: Slot;
  /**
   * A procfs that this program made: what is written through it, crossing no mount, goes to the kernel and nowhere else (CVE-2025-52881).
   * The container's own /proc where that may be written to, else one that is mounted nowhere; none where nothing is written.
   */
  readonly proc: Slot | undefined;
  readonly console?: Slot;
  /** A verified /dev/null, open for reading and writing: standard input of a container without one. */
  readonly nullDevice: Slot;
  /** Ends the view of the host; nothing to do where that was first. */
  readonly pivot: () => void;
}

export interface RootfsOptions {
  /** Mounts that make the root; none: spec.root.path is it. */
  readonly rootfs: readonly Mount[];
  /** Hooks must see the mounts before the root is entered. */
  readonly pivotLast: boolean;
  /** Will something be written to procfs? */
  readonly needsProc: boolean;
  /** chroot and a moved mount in place of pivot_root, for a root on the initramfs (runc's --no-pivot). */
  readonly noPivot: boolean;
}

const rootWords = { why: 'runtime-spec config.md: root', failure: 'error mounting the root file system' };

/** Adds the ops that make, fill and enter the root. */
export function enterRootfs(compilation: Compilation, options: RootfsOptions): EnteredRoot {
  const { spec, init, slots } = compilation;
  const propagation = spec.linux?.rootfsPropagation;
  if (propagation && propagationFlags(propagation) === undefined) {
    throw new InvalidArgument(`rootfsPropagation=${propagation} is not supported`);
  }
  // Bind mounts that shall stay peers of the host's are opened while ours still are.
  const shared = propagation?.includes('shared') === true;
  if (!shared) leaveHostMounts(init, propagation);

  // 1. With the host in view: everything that is opened by a path of the host.
  const nullDevice = slots.take();
  const prepared = prepareMounts(compilation);
  const ownProc = find(prepared, '/proc');
  const proc = writableProc(ownProc) ? ownProc?.slot : options.needsProc ? openProc(compilation) : undefined;
  const attachDevices = prepareDeviceBinds(compilation);
  if (shared) leaveHostMounts(init, propagation);
  const directory = mountRoot(compilation, options.rootfs);

  // 2. The root becomes "/".
  const root = slots.take();
  const openRoot = (path: string) =>
    init.push({ op: 'open', slot: root, path, flags: n.O_PATH | n.O_DIRECTORY | n.O_CLOEXEC, ...rootWords });
  let pivot: () => void = () => undefined;
  if (options.pivotLast) {
    openRoot(directory);
    pivot = () => pushPivot(compilation, directory, options.noPivot);
  } else {
    pushPivot(compilation, directory, options.noPivot);
    openRoot('/');
  }

  // 3. Paths of the container from here on.
  const dev = find(prepared, '/dev');
  const devSlot = dev?.mount.type === 'tmpfs' ? dev.slot : undefined;
  const pts = find(prepared, '/dev/pts');
  const ptsSlot = pts?.mount.type === 'devpts' ? pts.slot : undefined;
  const ours = [devSlot, ptsSlot].filter(slot => slot !== undefined);
  const keep = new Set(proc === undefined ? ours : [...ours, proc]);
  attachMounts(compilation, prepared, root, keep);
  let console: Slot | undefined;
  // A bind over /dev brings its own devices.
  if (dev === undefined || !(dev.options.bind || dev.mount.type === 'bind')) {
    makeDevices(compilation, root, devSlot);
    attachDevices(root);
    makeDevLinks(compilation, root, devSlot);
  }
  openNull(init, nullDevice, devSlot === undefined ? inside(root, '/dev/null') : devPath(root, devSlot, '/dev/null'));
  if (spec.process?.terminal === true) console = openConsole(compilation, root, ptsSlot, devSlot);
  if (devSlot !== undefined && dev?.options.readonly) sealDev(init, devSlot);
  for (const slot of ours) {
    init.push({ op: 'close', slot });
    slots.give(slot);
  }
  return { root, proc, nullDevice, pivot, ...(console !== undefined && { console }) };
}

/**
 * What the host mounts comes in, unless all is private; what we mount never goes out. All of it, not "/" alone: pivot_root refuses a root or
 * a parent of it that is shared. What the spec asks of the container's own "/" follows after the pivot.
 */
function leaveHostMounts(ops: Op[], propagation: string | undefined): void {
  ops.push({
    op: 'mount',
    source: '',
    target: '/',
    type: '',
    flags: (propagation?.includes('private') ? n.MS_PRIVATE : n.MS_SLAVE) | n.MS_REC,
    data: '',
    why: propagation
      ? 'runtime-spec config-linux.md: rootfsPropagation'
      : "the host's mounts come in, ours don't go out",
    failure: 'error preparing the mount namespace',
  });
}

/** Is this the kernel's procfs, whole and open to writes? Nothing but our own mounts is below it until the program runs. */
const writableProc = (prepared: PreparedMount | undefined): boolean =>
  prepared?.mount.type === 'proc' && !prepared.options.readonly && prepared.options.data.length === 0;

/** A procfs that is mounted nowhere. Not the first choice: the kernel waits for an RCU grace period when it is closed. */
function openProc({ init, slots }: Compilation): Slot {
  const slot = slots.take();
  init.push({
    op: 'fsmount',
    slot,
    type: 'proc',
    source: 'proc',
    options: [],
    attributes: n.MOUNT_ATTR_NOSUID | n.MOUNT_ATTR_NODEV | n.MOUNT_ATTR_NOEXEC,
    why: 'a private procfs for our own writes (CVE-2025-52881)',
    failure: 'error opening procfs',
  });
  return slot;
}

/** Takes /dev/null for it only when it is the device 1:3, not what an image or a race made of it (CVE-2025-31133). */
function openNull(ops: Op[], slot: Slot, at: At): void {
  const words = { why: 'our own /dev/null, verified (CVE-2025-31133)', failure: 'error opening /dev/null' };
  ops.push(
    { op: 'open', ...at, slot, flags: n.O_RDWR | n.O_NOCTTY | n.O_NOFOLLOW | n.O_CLOEXEC, ...words },
    { op: 'verify', slot, type: n.S_IFCHR, rdev: n.deviceNumber(1, 3), ...words },
  );
}

/** The last of that destination hides the others. */
const find = (prepared: readonly PreparedMount[], destination: string): PreparedMount | undefined =>
  prepared.findLast(({ mount }) => mount.destination === destination);

/** Mounts the root somewhere in the new mount namespace and returns where. */
function mountRoot(compilation: Compilation, rootfs: readonly Mount[]): string {
  const { spec, bundle, init } = compilation;
  const [first, ...rest] = rootfs;
  if (first === undefined) {
    if (spec.root === undefined) throw new InvalidArgument('config.json has no root');
    const path = resolve(bundle, spec.root.path);
    init.push({
      op: 'mount',
      source: path,
      target: path,
      type: '',
      flags: n.MS_BIND | n.MS_REC,
      data: '',
      ...rootWords,
      failure: `error preparing rootfs "${path}"`,
    });
    return path;
  }
  if (rest.length > 0) throw new InvalidArgument('a root of more than one mount is not supported');
  // Only this mount namespace sees it there, and only until the pivot: the bundle's directory is one that exists.
  const target = bundle;
  const parsed = parseMountOptions(first.options ?? []);
  if (first.type === 'overlay') mountOverlay(compilation, target, parsed.data, parsed.set);
  else if (parsed.bind || first.type === 'bind') {
    const slot = compilation.slots.take();
    init.push(
      { op: 'openTree', slot, recursive: parsed.recursive, path: resolve(bundle, first.source ?? ''), ...rootWords },
      {
        op: 'mountSetattr',
        slot,
        set: parsed.set,
        clear: parsed.clear,
        propagation: n.MS_PRIVATE,
        recursive: false,
        ...rootWords,
      },
      { op: 'moveMount', slot, path: target, ...rootWords },
      { op: 'close', slot },
    );
    compilation.slots.give(slot);
  } else throw new InvalidArgument(`a root of type "${first.type}" is not supported: overlay or bind`);
  return target;
}

/**
 * The overlay, by fsconfig(2) with one option per lower directory where the kernel can (6.8), else by mount(2), whose options
 * are limited to a page: from the directory that all lower directories share, with names relative to it.
 */
function mountOverlay(compilation: Compilation, target: string, data: readonly string[], attributes: number): void {
  const { init, slots, userNamespace, facts } = compilation;
  if (kernelAtLeast(facts, 6, 8)) {
    // In a user namespace the layers may be closed to the container's root: the host mounts, detached.
    const onHost = userNamespace && facts.privileged;
    const slot = onHost ? slots.takeInherited() : slots.take();
    (onHost ? compilation.host : init).push({
      op: 'fsmount',
      slot,
      type: 'overlay',
      source: 'overlay',
      options: overlayOptions(data),
      attributes,
      ...rootWords,
    });
    init.push({ op: 'moveMount', slot, path: target, ...rootWords }, { op: 'close', slot });
    slots.give(slot);
    return;
  }
  const shared = commonDirectory(data);
  const relative = data.map(option =>
    option.replace(/(?<=[=:])(\/[^:]*)/g, path => posix.relative(shared, path) || '.'),
  );
  init.push(
    { op: 'chdir', path: shared, why: 'short names: mount(2) takes a page of options' },
    {
      op: 'mount',
      source: 'overlay',
      target,
      type: 'overlay',
      flags: attributes & (n.MS_RDONLY | n.MS_NOSUID | n.MS_NODEV | n.MS_NOEXEC),
      data: relative.join(','),
      ...rootWords,
    },
  );
}

/** The deepest directory that holds all paths of an overlay's options. */
export function commonDirectory(data: readonly string[]): string {
  const paths = data
    .filter(option => /^(lowerdir|upperdir|workdir)=/.test(option))
    .flatMap(option => option.slice(option.indexOf('=') + 1).split(':'));
  let common = posix.dirname(paths[0] ?? '/');
  for (const path of paths) {
    while (common !== '/' && !path.startsWith(`${common}/`)) common = posix.dirname(common);
  }
  return common;
}

function pushPivot({ init }: Compilation, directory: string, noPivot: boolean): void {
  const why = "the host's root goes out of reach: nothing looked up from here on can lead to it";
  if (noPivot) {
    init.push(
      { op: 'chdir', path: directory, ...rootWords },
      { op: 'mount', source: directory, target: '/', type: '', flags: 0x2000, data: '', ...rootWords },
      { op: 'chroot', path: '.', ...rootWords },
      { op: 'chdir', path: '/', ...rootWords },
    );
    return;
  }
  init.push(
    { op: 'chdir', path: directory, ...rootWords },
    { op: 'pivotRoot', newRoot: '.', putOld: '.', why, failure: 'error jailing process inside rootfs: pivot_root .' },
    // The old root lies over the new one now. As a slave it must not take the host's own mounts with it.
    {
      op: 'mount',
      source: '',
      target: '.',
      type: '',
      flags: n.MS_SLAVE | n.MS_REC,
      data: '',
      why: "unmounting must not reach the host's mounts",
    },
    { op: 'umount', target: '.', flags: n.MNT_DETACH, why },
    { op: 'chdir', path: '/', ...rootWords },
  );
}

/** What is closed off once all is in its place: sysctls first, since their files turn read-only. */
export function sealRootfs(compilation: Compilation, { root, proc, nullDevice }: EnteredRoot): void {
  const { spec, init } = compilation;
  const linux = spec.linux ?? {};
  init.push(...sysctlWrites(compilation, proc));
  for (const path of linux.readonlyPaths ?? []) {
    const words = { why: 'runtime-spec config-linux.md: readonlyPaths', failure: `can't make "${path}" read-only` };
    init.push({ op: 'readonlyPath', ...inside(root, path), ...words });
  }
  maskPaths(compilation, linux.maskedPaths ?? [], root, nullDevice);
  if (spec.root?.readonly === true) {
    init.push({
      op: 'mountSetattr',
      slot: root,
      set: n.MOUNT_ATTR_RDONLY,
      clear: 0,
      propagation: 0,
      recursive: false,
      why: 'runtime-spec config.md: root.readonly',
      failure: 'error remounting the root file system read-only',
    });
  }
  const propagation = linux.rootfsPropagation;
  if (propagation) {
    init.push({
      op: 'mount',
      source: '',
      target: '/',
      type: '',
      flags: propagationFlags(propagation)!,
      data: '',
      why: 'runtime-spec config-linux.md: rootfsPropagation; last, since what is mounted on a shared mount becomes shared',
    });
  }
}

/** Hides each path: a directory under an empty one, anything else under /dev/null. One of each is enough for all. */
function maskPaths(compilation: Compilation, paths: readonly string[], root: Slot, nullDevice: Slot): void {
  if (paths.length === 0) return;
  const { init, slots, facts } = compilation;
  const why = 'runtime-spec config-linux.md: maskedPaths';
  const directory = slots.take();
  init.push({
    op: 'fsmount',
    slot: directory,
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nr_blocks=1', 'nr_inodes=1'],
    attributes: n.MOUNT_ATTR_RDONLY,
    why,
  });
  // What is a directory of this kernel's takes the mount itself and the others copies of it: closing a mount that is nowhere would make
  // the kernel wait for an RCU grace period.
  const first = paths.find(path => facts.isKernelDirectory(path));
  const ordered = first === undefined ? paths : [first, ...paths.filter(path => path !== first)];
  for (const path of ordered) {
    const words = { why, failure: `can't mask path "${path}"` };
    if (path === first)
      init.push({ op: 'moveMount', slot: directory, ...inside(root, path), tolerate: ['ENOENT'], ...words });
    else init.push({ op: 'mask', ...inside(root, path), file: nullDevice, directory, ...words });
  }
  init.push({ op: 'close', slot: directory });
  slots.give(directory);
}
