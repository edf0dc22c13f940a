// Compiles a container: runtime spec → program. See op.ts for how its two processes meet.

import { InvalidArgument, NotImplemented, PermissionDenied } from '../errdefs/index.ts';
import type { Op, Program, Slot } from '../launcher/index.ts';
import type { IdMapping, Mount, RuntimeSpec } from '../oci/index.ts';
import { type CgroupPaths, cgroupPaths } from './cgroups/paths.ts';
import { type CgroupPlan, planCgroups } from './cgroups/plan.ts';
import { v1Values, v2Values } from './cgroups/values.ts';
import {
  allCapabilities,
  availableCapabilities,
  type Compilation,
  type HostFacts,
  hostFacts,
  inside,
} from './compilation.ts';
import { hookOps } from './hooks.ts';
import { cloneFlags, formatTimeOffsets, type NamespacePlan, planNamespaces } from './namespaces.ts';
import { findInterface, netDeviceOps } from './net-devices.ts';
import * as n from './numbers.ts';
import { processOps } from './process/process.ts';
import { memoryPolicyOp, personalityOp } from './process/scheduling.ts';
import { type EnteredRoot, enterRootfs, sealRootfs } from './rootfs/rootfs.ts';
import { Slots } from './slots.ts';
import { planPipes, type Stdio, type StdioOps, terminalOps } from './stdio.ts';
import { deniesSetgroups, hostId, writeMaps, writeMapsByHelpers } from './user-namespace.ts';
import { validateSpec } from './validate.ts';

/** Netlink messages that give the new network namespace its interfaces: prepared by the network part, sent by the launcher. */
export interface NetnsPlan {
  /** Sent in the host's namespace once the container's exists; the pid goes into the bytes at each offset. */
  readonly host: readonly {
    readonly bytes: Uint8Array;
    readonly pidOffsets: readonly number[];
    readonly comment: string;
  }[];
  /** Files below /proc/sys/net, written by the init before `inside`. */
  readonly sysctls?: readonly { readonly path: string; readonly value: string; readonly comment: string }[];
  /** Sent by the init in its own namespace. */
  readonly inside: readonly { readonly bytes: Uint8Array; readonly comment: string }[];
}

/** What the created container waits for: `ready` is the shim's client saying start, `fifo` a byte in exec.fifo (the OCI command line), `none` starts at once. */
export type StartGate = 'ready' | 'fifo' | 'none';

export interface CreateOptions {
  readonly id: string;
  readonly spec: RuntimeSpec;
  /** The bundle's directory: absolute, existing. With `rootfs` the root is mounted over it, in the container's mount namespace only. */
  readonly bundle: string;
  /** What makes the root (an overlay, or a bind mount), as snapshotters give it; empty: spec.root.path as it is. */
  readonly rootfs?: readonly Mount[];
  readonly stdio: Stdio;
  readonly netns?: NetnsPlan;
  readonly startGate: StartGate;
  /** Path of the FIFO of startGate `fifo`. */
  readonly fifo?: string;
  /** `inherit` with a terminal: the pty's master goes there. */
  readonly consoleSocket?: string;
  readonly pidfdSocket?: string;
  readonly preserveFds?: number;
  readonly noPivot?: boolean;
  readonly noNewKeyring?: boolean;
  /** This machine, unless a test says otherwise. */
  readonly facts?: HostFacts;
}

/** A compiled container. */
export interface CreatePlan {
  readonly program: Program;
  readonly cgroups: CgroupPaths;
  /** What the machine cannot give, in words for the user. */
  readonly warnings: readonly string[];
}

/** Compiles the whole container. Throws InvalidArgument or NotImplemented for what cannot be done; nothing has happened then. */
export function planCreate(options: CreateOptions): CreatePlan {
  const { id, spec, bundle } = options;
  const facts = options.facts ?? hostFacts();
  validateSpec(spec);
  const linux = spec.linux ?? {};
  const namespaces = planNamespaces(linux);
  const cgroups = hasCgroups(facts, spec) ? cgroupPaths(facts.cgroups, linux.cgroupsPath, id) : { v1: {} };
  const compilation: Compilation = {
    id,
    spec,
    bundle,
    facts,
    cgroups,
    host: [],
    init: [],
    slots: new Slots(),
    userNamespace: (namespaces.clone & n.CLONE_NEWUSER) !== 0,
  };
  const warnings: string[] = [];
  compose(compilation, options, namespaces, warnings);
  return { program: compilation.host, cgroups, warnings };
}

/** Rootless without a delegated cgroup the container stays in ours, which it may only if nobody asked for limits. */
function hasCgroups(facts: HostFacts, { linux = {} }: RuntimeSpec): boolean {
  if (facts.privileged || facts.cgroupsDelegated === true) return true;
  const { devices: _, ...limits } = linux.resources ?? {};
  const values = facts.cgroups.mode === 'unified' ? v2Values(limits) : v1Values(limits);
  if (values.length > 0) {
    throw new PermissionDenied('rootless needs no limits + no cgrouppath when no permission is granted for cgroups');
  }
  return false;
}

/** The program alone. */
export const compileCreate = (options: CreateOptions): Program => planCreate(options).program;

function compose(
  compilation: Compilation,
  options: CreateOptions,
  namespaces: NamespacePlan,
  warnings: string[],
): void {
  const { spec, host, init, slots, cgroups, facts } = compilation;
  const process = spec.process;
  if (process === undefined) throw new InvalidArgument('config.json has no process');
  const linux = spec.linux ?? {};
  const cgroup: CgroupPlan =
    cgroups.v2 === undefined && Object.keys(cgroups.v1).length === 0
      ? { create: [], join: [] }
      : planCgroups(facts.cgroups, cgroups, linux.resources ?? {}, slots, facts.cgroupFiles);
  host.push(...cgroup.create);

  const stdio = planStdio(compilation, options);
  if (stdio !== undefined) host.push(...stdio.before);
  const fifo = options.startGate === 'fifo' ? openFifo(compilation, options.fifo) : undefined;
  const joins = openNamespaces(compilation, namespaces);
  if (namespaces.unshareTime) unshareTime(compilation);

  // ── the init ──
  init.push(...oomOps(process.oomScoreAdj, facts, warnings));
  init.push(...cgroup.join);
  for (const { slot, type, flag } of joins) {
    init.push({
      op: 'setns',
      fd: slot,
      flags: flag,
      why: `runtime-spec config-linux.md: join the ${type} namespace`,
      failure: `failed to join the ${type} namespace`,
    });
    init.push({ op: 'close', slot });
    slots.give(slot);
  }
  if (compilation.userNamespace) {
    init.push(
      { op: 'await', peer: 'parent', why: 'until our ids are mapped' },
      { op: 'setgid', gid: 0 },
      { op: 'setuid', uid: 0 },
    );
  }
  // Not before the ids are mapped: it takes the map's files away from an unprivileged owner.
  init.push({
    op: 'prctl',
    option: n.PR_SET_DUMPABLE,
    args: [0, 0, 0, 0],
    why: 'nobody in a joined pid namespace may look into us',
  });
  if (namespaces.unshareCgroup)
    init.push({ op: 'unshare', flags: n.CLONE_NEWCGROUP, why: 'after joining: its root is where we are' });
  if (cgroup.into !== undefined) {
    init.push({ op: 'close', slot: cgroup.into });
    slots.give(cgroup.into);
  }
  init.push({ op: 'setsid', why: 'a session of its own' });
  if (options.noNewKeyring !== true) {
    init.push({
      op: 'joinSessionKeyring',
      name: `_ses.${compilation.id}`,
      tolerate: ['ENOSYS', 'EPERM', 'EOPNOTSUPP'],
      why: "the host's session keyring stays outside",
    });
  }
  init.push({ op: 'umask', mask: 0, why: 'modes are what the spec says' });
  const pivotLast = ['prestart', 'createRuntime', 'createContainer'].some(
    name => (spec.hooks?.[name as 'prestart']?.length ?? 0) > 0,
  );
  const root = enterRootfs(compilation, { rootfs: options.rootfs ?? [], pivotLast, noPivot: options.noPivot ?? false });
  const netns = namespaces.clone & n.CLONE_NEWNET ? options.netns : undefined;
  const devices = netDeviceOps(spec, facts.findInterface ?? findInterface);
  const networked = netns !== undefined || devices.outside.length > 0;
  if (networked || compilation.userNamespace || pivotLast) {
    if (pivotLast) init.push({ op: 'notify', peer: 'parent', why: 'hooks of the runtime namespace may run' });
    init.push({ op: 'await', peer: 'parent', why: 'until the interfaces are there' });
  }
  init.push(...hookOps(compilation, 'createContainer', 'creating'));
  root.pivot();
  for (const { path, value, comment } of netns?.sysctls ?? [])
    init.push({ op: 'write', path, data: value, why: comment, tolerate: ['ENOENT', 'EROFS', 'EACCES'] });
  for (const { bytes, comment } of netns?.inside ?? []) {
    init.push({
      op: 'netlink',
      protocol: 0,
      messages: bytes,
      why: comment,
      failure: `error setting up the network: ${comment}`,
    });
  }
  init.push(...devices.inside);
  sealRootfs(compilation, root);
  nameOps(compilation);
  if (linux.personality) init.push(personalityOp(linux.personality));
  if (linux.memoryPolicy) init.push(memoryPolicyOp(linux.memoryPolicy));
  makeCwd(compilation, root.root);
  finishInit(compilation, options, root, stdio, fifo);

  // ── the clone, and what is done outside ──
  const pidfd = options.pidfdSocket === undefined ? undefined : slots.takeOutside();
  const back = leaveNamespaces(compilation, namespaces);
  host.push({
    op: 'clone',
    flags: namespaces.clone,
    ...(cgroup.into !== undefined && { cgroup: cgroup.into }),
    ...(pidfd !== undefined && { pidfd }),
    program: init,
    why: 'runtime-spec config-linux.md: namespaces',
    failure: 'unable to start the container process: clone',
  });
  host.push(...back);
  if (stdio !== undefined) host.push(...stdio.after);
  if (pidfd !== undefined)
    host.push({ op: 'sendFdTo', socket: options.pidfdSocket!, slot: pidfd, data: 'pidfd', why: '--pidfd-socket' });
  if (compilation.userNamespace) {
    host.push(...mapOps(compilation));
    host.push({ op: 'notify', peer: 'child', why: 'the ids are mapped' });
  }
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
  if (pivotLast) {
    host.push({ op: 'await', peer: 'child' });
    host.push(...hookOps(compilation, 'prestart', 'creating'), ...hookOps(compilation, 'createRuntime', 'creating'));
  }
  if (networked || compilation.userNamespace || pivotLast) host.push({ op: 'notify', peer: 'child' });
  receiveConsole(compilation, options);
  if (linux.seccomp?.listenerPath && options.startGate !== 'ready') receiveListener(compilation);
  if (options.startGate === 'none') host.push({ op: 'await', peer: 'exec' });
  else host.push({ op: 'await', peer: 'child', why: 'until all is in place' });
  if (options.startGate === 'ready') {
    host.push({ op: 'ready' }, { op: 'notify', peer: 'child', why: 'start' });
    if (linux.seccomp?.listenerPath) receiveListener(compilation);
    host.push({ op: 'await', peer: 'exec' });
  }
  if (options.startGate !== 'fifo') host.push(...hookOps(compilation, 'poststart', 'running'));
}

function makeCwd({ spec, init }: Compilation, root: Slot): void {
  const { cwd } = spec.process!;
  if (cwd === '/') return;
  init.push({
    op: 'mkdir',
    ...inside(root, cwd),
    mode: 0o755,
    parents: true,
    why: 'runc makes a missing working directory',
    failure: `mkdir ${cwd}`,
    // Where it is missing on a read-only root, chdir says so.
    tolerate: ['EROFS'],
  });
}

/** Everything after the file system is as it will be. */
function finishInit(
  compilation: Compilation,
  options: CreateOptions,
  root: EnteredRoot,
  stdio: StdioOps | undefined,
  fifo: Slot | undefined,
): void {
  const { spec, init, slots } = compilation;
  // With a shim nobody waits between created and started: the command is looked for after the gate, and a failure still gets out.
  if (options.startGate === 'ready') {
    init.push({ op: 'notify', peer: 'parent', why: 'created' }, { op: 'await', peer: 'parent', why: 'until start' });
  }
  if (root.console !== undefined) init.push(...terminalOps(root.console));
  else if (stdio !== undefined) init.push(...stdio.inside(root.nullDevice));
  const linux = spec.linux ?? {};
  init.push(
    ...processOps({
      process: spec.process!,
      seccomp: linux.seccomp,
      availableCapabilities: compilation.userNamespace ? allCapabilities : availableCapabilities(compilation.facts),
      slots,
      root: root.root,
      proc: root.proc,
      denySetgroups: deniesSetgroups(compilation.facts, linux),
      preserveFds: options.preserveFds ?? 0,
      startHooks: hookOps(compilation, 'startContainer', 'created'),
      ...(fifo !== undefined && {
        gate: [
          { op: 'notify', peer: 'parent', why: 'created' },
          { op: 'awaitByte', slot: fifo, why: 'until `start` writes to exec.fifo' },
        ],
      }),
    }),
  );
}

function planStdio(compilation: Compilation, { stdio }: CreateOptions): StdioOps | undefined {
  const { spec, slots } = compilation;
  if (stdio === 'inherit' || stdio.terminal) return undefined;
  const linux = spec.linux ?? {};
  const user = spec.process!.user;
  const uid = hostId(compilation.userNamespace ? linux.uidMappings : undefined, user.uid) ?? 0;
  const gid = hostId(compilation.userNamespace ? linux.gidMappings : undefined, user.gid) ?? 0;
  return planPipes(stdio, slots, uid, gid);
}

function openFifo({ host, slots }: Compilation, path: string | undefined): Slot {
  if (path === undefined) throw new InvalidArgument('startGate fifo needs the path of the fifo');
  const slot = slots.takeInherited();
  // For reading and writing: neither end blocks, and reading waits for the byte that `start` writes.
  host.push({ op: 'open', slot, path, flags: n.O_RDWR | n.O_CLOEXEC, why: 'exec.fifo: the init waits on it' });
  return slot;
}

/** Opens the namespaces to join. Those of pid and time are for children: the process outside joins, clones, and goes back. */
function openNamespaces({ host, slots }: Compilation, plan: NamespacePlan) {
  const joins: { slot: Slot; type: string; flag: number }[] = [];
  for (const { type, path } of plan.join) {
    if (type === 'user' && plan.clone & n.CLONE_NEWPID) {
      throw new NotImplemented('a new pid namespace in a joined user namespace is not supported');
    }
    const outside = type === 'pid' || type === 'time';
    const slot = outside ? slots.takeOutside() : slots.takeInherited();
    const flag = cloneFlags[type];
    const words = { why: `runtime-spec config-linux.md: join the ${type} namespace`, failure: `lstat ${path}` };
    host.push({ op: 'open', slot, path, flags: n.O_RDONLY | n.O_CLOEXEC, ...words });
    if (outside) host.push({ op: 'setns', fd: slot, flags: flag, ...words }, { op: 'close', slot });
    else joins.push({ slot, type, flag });
  }
  return joins;
}

/** The process outside lives on as the shim: its later children must be born where it is. Returns the ops for after the clone. */
function leaveNamespaces({ host, slots }: Compilation, plan: NamespacePlan): readonly Op[] {
  const names: ('pid' | 'time')[] = [];
  if (plan.join.some(({ type }) => type === 'pid')) names.push('pid');
  if (plan.unshareTime || plan.join.some(({ type }) => type === 'time')) names.push('time');
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

/** Lowering needs CAP_SYS_RESOURCE, which rootless and confined machines lack: the container runs with what there is, as runc's rootless does. */
function oomOps(score: number | undefined, facts: HostFacts, warnings: string[]): readonly Op[] {
  if (score === undefined) return [];
  if (score < -1000 || score > 1000) throw new InvalidArgument(`invalid oomScoreAdj ${score}: want -1000 to 1000`);
  if (score < 0 && !(availableCapabilities(facts) & (1n << 24n))) {
    warnings.push(`oomScoreAdj ${score} needs CAP_SYS_RESOURCE, which this machine does not give: not lowered`);
  }
  return [
    {
      op: 'write',
      path: '/proc/self/oom_score_adj',
      data: String(score),
      tolerate: ['EACCES', 'EPERM'],
      why: 'runtime-spec config.md: process.oomScoreAdj',
      failure: 'failed to set oom_score_adj',
    },
  ];
}

function nameOps({ spec, init }: Compilation): void {
  if (spec.hostname) {
    init.push({
      op: 'sethostname',
      name: spec.hostname,
      why: 'runtime-spec config.md: hostname',
      failure: 'error setting the hostname',
    });
  }
  if (spec.domainname) {
    init.push({
      op: 'setdomainname',
      name: spec.domainname,
      why: 'runtime-spec config.md: domainname',
      failure: 'error setting the domainname',
    });
  }
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
    pid: 0,
    metadata: seccomp.listenerMetadata ?? '',
    state: { ociVersion: spec.ociVersion, id, status: 'creating', bundle, annotations: spec.annotations ?? {} },
  };
  host.push(
    { op: 'receiveFd', slot },
    { op: 'sendFdTo', socket: seccomp.listenerPath!, slot, data: JSON.stringify(state), why: 'seccomp.listenerPath' },
    { op: 'close', slot },
  );
}
