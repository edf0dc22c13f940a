// The list of the process that makes the container: before the clone and after it. With a shim it then stays as the shim.

import { InvalidArgument, NotImplemented } from '../errdefs/index.ts';
import type { Op, Slot } from '../launcher/index.ts';
import type { IdMapping, NamespaceType, RuntimeSpec } from '../oci/index.ts';
import { type CgroupPlan, planCgroups } from './cgroups/plan.ts';
import type { Compilation } from './compilation.ts';
import type { CreateOptions, NetnsPlan } from './create.ts';
import { hookOps, pidToken } from './hooks.ts';
import { cloneFlags, formatTimeOffsets } from './namespaces.ts';
import type { NetDeviceOps } from './net-devices.ts';
import * as n from './numbers.ts';
import { planPipes, type StdioOps } from './stdio.ts';
import { hostId, writeMaps, writeMapsByHelpers } from './user-namespace.ts';

/** What the outside has made ready for the init. */
export interface Prepared {
  readonly cgroup: CgroupPlan;
  readonly stdio: StdioOps | undefined;
  readonly fifo: Slot | undefined;
  /** Namespaces that the init joins by itself. */
  readonly joins: readonly Join[];
  /**
   * New namespaces in a joined user namespace: they must be made by a process that is in it already. It joins, clones the init as its
   * sibling, and carries what the two sides tell each other. These are its ops up to that clone.
   */
  readonly between: Op[] | undefined;
}

interface Join {
  readonly slot: Slot;
  readonly type: NamespaceType;
  readonly flag: number;
}

/** The network of a container with a new network namespace. */
export interface NetworkPlan {
  readonly netns: NetnsPlan | undefined;
  readonly devices: NetDeviceOps;
}

/** Hooks that must see the container's mounts under the root's path of the host. */
export const pivotsLast = ({ hooks = {} }: RuntimeSpec): boolean =>
  [hooks.prestart, hooks.createRuntime, hooks.createContainer].some(list => (list?.length ?? 0) > 0);

/** Must the init wait for the outside in the middle of its way? */
export const awaitsOutside = ({ spec }: Compilation, { netns, devices }: NetworkPlan): boolean =>
  (netns?.host.length ?? 0) > 0 || devices.outside.length > 0 || pivotsLast(spec);

/** Cgroups, pipes and namespaces: all before the clone. */
export function prepareOutside(compilation: Compilation, options: CreateOptions): Prepared {
  const { spec, host, slots, cgroups, facts, namespaces } = compilation;
  const cgroup: CgroupPlan =
    cgroups.v2 === undefined && Object.keys(cgroups.v1).length === 0
      ? { create: [], join: [] }
      : planCgroups(facts.cgroups, cgroups, spec.linux?.resources ?? {}, slots, facts.cgroupFiles);
  host.push(...cgroup.create);
  const stdio = planStdio(compilation, options);
  if (stdio !== undefined) host.push(...stdio.before);
  const fifo = options.startGate === 'fifo' ? openFifo(compilation, options.fifo) : undefined;
  const joinsUser = namespaces.join.some(({ type }) => type === 'user');
  const between: Op[] | undefined = joinsUser ? [...cgroup.join] : undefined;
  const joins = openNamespaces(compilation, between);
  if (namespaces.unshareTime) unshareTime(compilation);
  return { cgroup, stdio, fifo, joins, between };
}

/** The clone, and all that the outside does while the init sets itself up. */
export function composeOutside(
  compilation: Compilation,
  options: CreateOptions,
  prepared: Prepared,
  network: NetworkPlan,
): void {
  const { host, slots, init, namespaces, spec } = compilation;
  const { cgroup, stdio, between } = prepared;
  const pidfd = options.pidfdSocket === undefined ? undefined : slots.takeOutside();
  const back = leaveNamespaces(compilation, between !== undefined);
  const clone = { op: 'clone', failure: 'unable to start the container process: clone' } as const;
  // The one who joins a user namespace may choose no cgroup any more; its child is in the same.
  const into = cgroup.into !== undefined && { cgroup: cgroup.into };
  const why = 'runtime-spec config-linux.md: namespaces';
  const after = host.length + 1;
  if (between === undefined) {
    host.push({
      ...clone,
      ...into,
      flags: namespaces.clone,
      ...(pidfd !== undefined && { pidfd }),
      program: init,
      why,
    });
  } else {
    if (pidfd !== undefined) throw new NotImplemented('--pidfd-socket with a joined user namespace is not supported');
    between.push({ ...clone, flags: (namespaces.clone | n.CLONE_PARENT) >>> 0, program: init, why });
    host.push({
      ...clone,
      ...into,
      flags: 0,
      program: between,
      why: 'joins the user namespace and makes the others in it',
    });
  }
  host.push(...back);
  if (stdio !== undefined) host.push(...stdio.after);
  if (pidfd !== undefined) {
    host.push({ op: 'sendFdTo', socket: options.pidfdSocket!, slot: pidfd, data: 'pidfd', why: '--pidfd-socket' });
  }
  if (compilation.newUserNamespace) {
    host.push(...mapOps(compilation), { op: 'notify', peer: 'child', why: 'the ids are mapped' });
  }
  pushNetwork(host, network);
  if (pivotsLast(spec)) {
    host.push({ op: 'await', peer: 'child' });
    host.push(...hookOps(compilation, 'prestart', 'creating'), ...hookOps(compilation, 'createRuntime', 'creating'));
  }
  if (awaitsOutside(compilation, network)) host.push({ op: 'notify', peer: 'child' });
  receiveConsole(compilation, options);
  waitForStart(compilation, options);
  between?.push(...carry(host.slice(after)));
}

/** What lies between two processes passes on what each tells the other, in the order in which the outside waits and tells. */
function carry(outside: readonly Op[]): readonly Op[] {
  const carried = outside.flatMap((op): readonly Op[] => {
    if (op.op === 'notify')
      return [
        { op: 'await', peer: 'parent' },
        { op: 'notify', peer: 'child' },
      ];
    if (op.op === 'await' && op.peer === 'child')
      return [
        { op: 'await', peer: 'child' },
        { op: 'notify', peer: 'parent' },
      ];
    if (op.op === 'await' && op.peer === 'exec') return [{ op: 'await', peer: 'exec' }];
    if (op.op === 'receiveFd') return [op, { op: 'sendFd', slot: op.slot }, { op: 'close', slot: op.slot }];
    return [];
  });
  return [...carried, { op: 'exit', code: 0 }];
}

function pushNetwork(host: Op[], { netns, devices }: NetworkPlan): void {
  for (const { bytes, pidOffsets, comment } of netns?.host ?? []) {
    host.push({
      op: 'netlink',
      protocol: 0,
      messages: bytes,
      pid: pidOffsets.map(offset => ({ offset })),
      why: comment,
      failure: `error setting up the network: ${comment}`,
    });
  }
  host.push(...devices.outside);
}

function waitForStart(compilation: Compilation, { startGate }: CreateOptions): void {
  const { host, spec } = compilation;
  const listens = spec.linux?.seccomp?.listenerPath ? () => receiveListener(compilation) : () => undefined;
  // The filter is loaded before the gate of a FIFO, after that of a shim.
  if (startGate !== 'ready') listens();
  if (startGate !== 'none') host.push({ op: 'await', peer: 'child', why: 'until all is in place' });
  if (startGate === 'fifo') return;
  if (startGate === 'ready') {
    host.push(
      { op: 'ready', why: 'created: the client may attach, resize, start' },
      { op: 'notify', peer: 'child', why: 'start' },
    );
    listens();
  }
  host.push({ op: 'await', peer: 'exec' }, ...hookOps(compilation, 'poststart', 'running'));
}

function planStdio(compilation: Compilation, { stdio }: CreateOptions): StdioOps | undefined {
  const { spec, slots } = compilation;
  if (stdio === 'inherit' || stdio.terminal) return undefined;
  const linux = spec.linux ?? {};
  const user = spec.process!.user;
  const uid = hostId(compilation.newUserNamespace ? linux.uidMappings : undefined, user.uid) ?? 0;
  const gid = hostId(compilation.newUserNamespace ? linux.gidMappings : undefined, user.gid) ?? 0;
  return planPipes(stdio, slots, uid, gid);
}

function openFifo({ host, slots }: Compilation, path: string | undefined): Slot {
  if (path === undefined) throw new InvalidArgument('startGate fifo needs the path of the fifo');
  const slot = slots.takeInherited();
  // For reading and writing: neither end blocks, and reading waits for the byte that `start` writes.
  host.push({ op: 'open', slot, path, flags: n.O_RDWR | n.O_CLOEXEC, why: 'exec.fifo: the init waits on it' });
  return slot;
}

/** Opens the namespaces to join. Those of pid and time are for children: whoever clones joins them. */
function openNamespaces({ host, slots, namespaces }: Compilation, between: Op[] | undefined): readonly Join[] {
  const joins: Join[] = [];
  for (const { type, path } of namespaces.join) {
    const ofChildren = type === 'pid' || type === 'time';
    const cloner = between ?? host;
    const flag = cloneFlags[type];
    const words = { why: `runtime-spec config-linux.md: join the ${type} namespace`, failure: `lstat ${path}` };
    const byCloner = ofChildren || type === 'user';
    const slot = byCloner && between === undefined ? slots.takeOutside() : slots.takeInherited();
    host.push({ op: 'open', slot, path, flags: n.O_RDONLY | n.O_CLOEXEC, ...words });
    if (!byCloner) {
      joins.push({ slot, type, flag });
      continue;
    }
    cloner.push({ op: 'setns', fd: slot, flags: flag, ...words }, { op: 'close', slot });
    if (type === 'user')
      cloner.push(
        { op: 'setgid', gid: 0, why: 'root of the user namespace' },
        { op: 'setuid', uid: 0, why: 'root of the user namespace' },
      );
    slots.give(slot);
  }
  return joins;
}

/** The process outside lives on as the shim: its later children must be born where it is. Returns the ops for after the clone. */
function leaveNamespaces({ host, slots, namespaces: plan }: Compilation, between: boolean): readonly Op[] {
  const names: ('pid' | 'time')[] = [];
  // Another process joined them, and leaves.
  const joins = (name: NamespaceType) => !between && plan.join.some(({ type }) => type === name);
  if (joins('pid')) names.push('pid');
  if (plan.unshareTime || joins('time')) names.push('time');
  return names.flatMap(name => {
    const slot = slots.takeInherited();
    const why = 'later children of ours are born where we are';
    host.push({ op: 'open', slot, path: `/proc/self/ns/${name}`, flags: n.O_RDONLY | n.O_CLOEXEC, why });
    return [
      { op: 'setns', fd: slot, flags: cloneFlags[name], why },
      { op: 'close', slot },
    ] as const;
  });
}

function unshareTime({ host, spec }: Compilation): void {
  const why = 'runtime-spec config-linux.md: timeOffsets';
  host.push(
    { op: 'unshare', flags: n.CLONE_NEWTIME, why, failure: 'unable to make the time namespace' },
    {
      op: 'write',
      path: '/proc/self/timens_offsets',
      data: formatTimeOffsets(spec.linux?.timeOffsets ?? {}),
      why,
      failure: 'failed to update /proc/self/timens_offsets',
    },
  );
}

function mapOps({ spec, facts }: Compilation): readonly Op[] {
  const { uidMappings = [], gidMappings = [] } = spec.linux ?? {};
  if (facts.privileged) return writeMaps(uidMappings, gidMappings, false);
  const own = (mappings: readonly IdMapping[]) => mappings.length === 1 && mappings[0]!.size === 1;
  // An unprivileged process may map only itself, and its groups only once setgroups is denied.
  if (own(uidMappings) && own(gidMappings)) return writeMaps(uidMappings, gidMappings, true);
  if (facts.idMapHelpers === undefined) {
    throw new NotImplemented(
      'mapping more than your own id needs newuidmap and newgidmap (Debian: uidmap), which are not installed',
    );
  }
  return writeMapsByHelpers(facts.idMapHelpers, uidMappings, gidMappings);
}

function receiveConsole({ spec, host, slots }: Compilation, { stdio, consoleSocket }: CreateOptions): void {
  if (spec.process?.terminal !== true) return;
  const slot = slots.takeOutside();
  host.push({ op: 'receiveFd', slot, why: "the pty's master" });
  if (stdio !== 'inherit') host.push({ op: 'stdio', terminal: slot });
  else if (consoleSocket !== undefined) {
    host.push(
      { op: 'sendFdTo', socket: consoleSocket, slot, data: '/dev/ptmx', why: '--console-socket' },
      { op: 'close', slot },
    );
  } else throw new InvalidArgument('cannot allocate tty if runc will detach without setting console socket');
}

function receiveListener({ spec, host, slots, id, bundle }: Compilation): void {
  const seccomp = spec.linux!.seccomp!;
  const slot = slots.takeOutside();
  const state = {
    ociVersion: spec.ociVersion,
    fds: ['seccompFd'],
    pid: Number(pidToken),
    metadata: seccomp.listenerMetadata ?? '',
    state: {
      ociVersion: spec.ociVersion,
      id,
      status: 'creating',
      pid: Number(pidToken),
      bundle,
      annotations: spec.annotations ?? {},
    },
  };
  host.push(
    { op: 'receiveFd', slot, why: 'what the child made' },
    {
      op: 'sendFdTo',
      socket: seccomp.listenerPath!,
      slot,
      data: JSON.stringify(state),
      pidToken,
      why: 'seccomp.listenerPath',
    },
    { op: 'close', slot },
  );
}
