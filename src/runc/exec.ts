// Compiles an exec: another process in a running container. One clone is enough, since whoever runs the program first joins the
// container's pid namespace for its children; the child joins everything else by one setns of the init's pidfd.

import { InvalidArgument, NotImplemented } from '../errdefs/index.ts';
import type { Op, Program, Slot } from '../launcher/index.ts';
import type { Process, RuntimeSpec } from '../oci/index.ts';
import type { CgroupPaths } from './cgroups/paths.ts';
import { planJoin } from './cgroups/plan.ts';
import { allCapabilities, availableCapabilities, type HostFacts, hostFacts } from './compilation.ts';
import { cloneFlags } from './namespaces.ts';
import * as n from './numbers.ts';
import { processOps } from './process/process.ts';
import { bitList } from './process/scheduling.ts';
import { Slots } from './slots.ts';
import { planPipes, type Stdio, terminalOps } from './stdio.ts';
import { deniesSetgroups, hostId } from './user-namespace.ts';

export interface ExecOptions {
  /** The container's. */
  readonly spec: RuntimeSpec;
  readonly process: Process;
  /** The container's init, as the runner of the program sees it. */
  readonly initPid: number;
  readonly cgroups: CgroupPaths;
  readonly stdio: Stdio;
  /** `inherit` with a terminal: the pty's master goes there. */
  readonly consoleSocket?: string;
  /** The process's pidfd goes there. */
  readonly pidfdSocket?: string;
  readonly preserveFds?: number;
  readonly facts?: HostFacts;
}

/** Compiles the program of an exec. Its process is a child of whoever runs the program. */
export function compileExec(options: ExecOptions): Program {
  const { spec, process, initPid } = options;
  const facts = options.facts ?? hostFacts();
  const linux = spec.linux ?? {};
  const slots = new Slots();
  const host: Op[] = [];
  const init: Op[] = [];
  const userNamespace = (linux.namespaces ?? []).some(({ type }) => type === 'user');
  const target = slots.takeInherited();
  host.push({
    op: 'pidfdOpen',
    slot: target,
    pid: initPid,
    why: "the container's init",
    failure: 'container is not running',
  });
  const cgroup = planJoin(options.cgroups, slots);
  host.push(...cgroup.create);
  const mapped = (mappings: typeof linux.uidMappings, id: number) =>
    hostId(userNamespace ? mappings : undefined, id) ?? 0;
  const pipes =
    options.stdio === 'inherit' || options.stdio.terminal
      ? undefined
      : planPipes(
          options.stdio,
          slots,
          mapped(linux.uidMappings, process.user.uid),
          mapped(linux.gidMappings, process.user.gid),
        );
  if (pipes) host.push(...pipes.before);
  // Only who is root over the container's user namespace may join its pid namespace from outside; another must join that first.
  const nested = userNamespace && !facts.privileged;
  const flags = (linux.namespaces ?? []).reduce((all, { type }) => all | cloneFlags[type], 0);
  const join: Op = {
    op: 'setns',
    fd: target,
    flags: (nested ? flags : flags & ~cloneFlags.pid) >>> 0,
    why: nested ? 'all namespaces at once' : 'all other namespaces at once',
    failure: 'failed to join the namespaces',
  };
  const pidfd = options.pidfdSocket === undefined ? undefined : slots.takeOutside();
  const clone = { op: 'clone', failure: 'unable to start container process: clone' } as const;
  const into = cgroup.into !== undefined && { cgroup: cgroup.into };
  const between: Op[] = [];
  if (nested) {
    if (pidfd !== undefined) throw new NotImplemented('--pidfd-socket of an unprivileged exec is not supported');
    between.push(...cgroup.join, join, { ...clone, flags: n.CLONE_PARENT, program: init, why: 'the exec' });
    host.push({
      ...clone,
      ...into,
      flags: 0,
      program: between,
      why: 'joins, and leaves its place to a child in the pid namespace',
    });
  } else
    host.push(
      ...cloneInPidNamespace(target, slots, {
        ...clone,
        ...into,
        ...(pidfd !== undefined && { pidfd }),
        flags: 0,
        program: init,
        why: 'the exec',
      }),
    );
  host.push({ op: 'close', slot: target });
  if (pidfd !== undefined) {
    host.push(
      { op: 'sendFdTo', socket: options.pidfdSocket!, slot: pidfd, data: 'pidfd', why: '--pidfd-socket' },
      { op: 'close', slot: pidfd },
    );
  }
  if (cgroup.into !== undefined) host.push({ op: 'close', slot: cgroup.into });
  if (pipes) host.push(...pipes.after);

  init.push(...affinityOps(process.execCPUAffinity?.initial));
  if (process.oomScoreAdj !== undefined) {
    init.push({
      op: 'write',
      path: '/proc/self/oom_score_adj',
      data: String(process.oomScoreAdj),
      tolerate: ['EACCES', 'EPERM'],
    });
  }
  init.push({
    op: 'prctl',
    option: n.PR_SET_DUMPABLE,
    args: [0, 0, 0, 0],
    why: "the container's processes may not look into us",
  });
  if (!nested) init.push(...cgroup.join, join);
  init.push(
    ...(userNamespace
      ? ([
          { op: 'setgid', gid: 0, why: 'root of the user namespace' },
          { op: 'setuid', uid: 0, why: 'root of the user namespace' },
        ] as const)
      : []),
    { op: 'setsid', why: 'a session of its own' },
    { op: 'umask', mask: 0, why: 'modes are what we say' },
  );
  const root = slots.take();
  const nullDevice = slots.take();
  const inRoot = { dir: root, resolve: n.RESOLVE_IN_ROOT | n.RESOLVE_NO_MAGICLINKS };
  init.push({
    op: 'open',
    slot: root,
    path: '/',
    flags: n.O_PATH | n.O_DIRECTORY | n.O_CLOEXEC,
    why: "the container's root bounds every look-up",
  });
  const proc = process.apparmorProfile ? slots.take() : undefined;
  if (proc !== undefined) {
    init.push({
      op: 'fsmount',
      slot: proc,
      type: 'proc',
      source: 'proc',
      options: [],
      attributes: n.MOUNT_ATTR_NOSUID | n.MOUNT_ATTR_NODEV | n.MOUNT_ATTR_NOEXEC,
      why: 'a private procfs for our own writes (CVE-2025-52881)',
    });
  }
  if (process.terminal === true) {
    terminal(options, nested ? between : undefined, host, init, slots, inRoot);
  } else if (pipes) {
    const stdinless = options.stdio !== 'inherit' && !options.stdio.stdin;
    if (stdinless) {
      init.push(
        {
          op: 'open',
          ...inRoot,
          path: 'dev/null',
          slot: nullDevice,
          flags: n.O_RDWR | n.O_NOCTTY | n.O_CLOEXEC,
          why: 'no stdin: /dev/null',
        },
        {
          op: 'verify',
          slot: nullDevice,
          type: n.S_IFCHR,
          rdev: n.deviceNumber(1, 3),
          why: 'no stdin: /dev/null, verified',
        },
      );
    }
    init.push(...pipes.inside(nullDevice));
  }
  init.push(
    ...affinityOps(process.execCPUAffinity?.final),
    ...processOps({
      process,
      seccomp: linux.seccomp,
      availableCapabilities: userNamespace ? allCapabilities : availableCapabilities(facts),
      slots,
      root,
      proc,
      denySetgroups: deniesSetgroups(facts, linux),
      preserveFds: options.preserveFds ?? 0,
    }),
  );
  if (nested) between.push({ op: 'await', peer: 'exec' }, { op: 'exit', code: 0 });
  host.push({ op: 'await', peer: 'exec' });
  return host;
}

/** The child is born in the pid namespace that its parent joined for its children; the parent then goes back to its own. */
function cloneInPidNamespace(target: Slot, slots: Slots, clone: Op): readonly Op[] {
  const own = slots.takeInherited();
  const why = 'later children of ours are born where we are';
  const flags = cloneFlags.pid;
  return [
    { op: 'open', slot: own, path: '/proc/self/ns/pid', flags: n.O_RDONLY | n.O_CLOEXEC, why },
    {
      op: 'setns',
      fd: target,
      flags,
      why: 'the child is born in the pid namespace',
      failure: 'failed to join the pid namespace',
    },
    clone,
    { op: 'setns', fd: own, flags, why },
    { op: 'close', slot: own },
  ];
}

function affinityOps(list: string | undefined): readonly Op[] {
  if (!list) return [];
  return [
    {
      op: 'cpuAffinity',
      mask: bitList(list, 'CPU affinity'),
      why: 'runtime-spec config.md: process.execCPUAffinity',
      failure: 'error setting CPU affinity',
    },
  ];
}

function terminal(
  options: ExecOptions,
  between: Op[] | undefined,
  host: Op[],
  init: Op[],
  slots: Slots,
  inRoot: { dir: number; resolve: number },
): void {
  const master = slots.take();
  const slave = slots.take();
  const size = options.process.consoleSize;
  const why = 'runtime-spec config.md: process.terminal';
  init.push(
    {
      op: 'openPty',
      ...inRoot,
      path: 'dev/pts/ptmx',
      master,
      slave,
      rows: size?.height ?? 0,
      columns: size?.width ?? 0,
      uid: options.process.user.uid,
      why,
      failure: 'unable to set up the console',
    },
    { op: 'sendFd', slot: master, why },
    { op: 'close', slot: master },
    ...terminalOps(slave),
  );
  slots.give(master);
  const received = slots.takeOutside();
  between?.push({ op: 'receiveFd', slot: received, why }, { op: 'sendFd', slot: received, why });
  host.push({ op: 'receiveFd', slot: received, why: "the pty's master" });
  if (options.stdio !== 'inherit') host.push({ op: 'stdio', terminal: received });
  else if (options.consoleSocket !== undefined) {
    host.push(
      { op: 'sendFdTo', socket: options.consoleSocket, slot: received, data: '/dev/ptmx', why: '--console-socket' },
      { op: 'close', slot: received },
    );
  } else throw new InvalidArgument('cannot allocate tty if runc will detach without setting console socket');
}
