// The last steps of a container's first process and of every exec: from root with all the host trusts us with to the spec's
// `process`, and execve. The order is the kernel's: what needs a capability comes before that capability is dropped.

import { InvalidArgument, NotImplemented } from '../../errdefs/index.ts';
import type { Op, Slot } from '../../launcher/index.ts';
import type { Process, Seccomp } from '../../oci/index.ts';
import { inside } from '../compilation.ts';
import * as n from '../numbers.ts';
import { procPath } from '../rootfs/sysctl.ts';
import { compileSeccomp } from '../seccomp/index.ts';
import type { Slots } from '../slots.ts';
import { applyCapabilities, type CapabilitySets, capabilitySets, dropBounding } from './capabilities.ts';
import { execCandidates } from './exec-candidates.ts';
import { rlimitOps } from './rlimits.ts';
import { ioPriorityOp, schedulerOp } from './scheduling.ts';

export interface ProcessPlan {
  readonly process: Process;
  readonly seccomp: Seccomp | undefined;
  /** What we may give at most. */
  readonly availableCapabilities: bigint;
  readonly slots: Slots;
  /** The container's root. */
  readonly root: Slot;
  /** A procfs that this program made; needed for labels. */
  readonly proc: Slot | undefined;
  /** Does the user namespace deny setgroups (rootless with one id)? */
  readonly denySetgroups: boolean;
  /** Descriptors from 3 on that the container inherits (--preserve-fds). */
  readonly preserveFds: number;
  /** Is the command looked for before `gate`, since nobody hears a failure after it? */
  readonly gate?: readonly Op[];
  /** Hooks that run in the container right before its program. */
  readonly startHooks?: readonly Op[];
}

const spec = (property: string) => `runtime-spec config.md: process.${property}`;

/** The ops from "everything is mounted" to execve. */
export function processOps(plan: ProcessPlan): readonly Op[] {
  const { process, slots } = plan;
  const args = process.args ?? [];
  const command = args[0];
  if (command === undefined) throw new InvalidArgument('process.args is empty');
  const env = process.env ?? [];
  for (const text of [...args, ...env, process.cwd]) {
    if (text.includes('\0')) throw new InvalidArgument('process has a zero byte in args, env or cwd');
  }
  if (!process.cwd.startsWith('/')) throw new InvalidArgument(`Cwd must be an absolute path: "${process.cwd}"`);
  const candidates = execCandidates(command, env);
  const noNewPrivileges = process.noNewPrivileges === true;
  const seccomp = plan.seccomp === undefined ? [] : seccompOps(plan.seccomp, slots);
  const sets = capabilitySets(process.capabilities ?? {}, plan.availableCapabilities);
  const words = { why: spec('args'), failure: `exec: "${command}"` };
  return [
    ...labelOps(process, plan.proc),
    ...rlimitOps(process.rlimits ?? []),
    ...(process.scheduler ? [schedulerOp(process.scheduler)] : []),
    ...(process.ioPriority ? [ioPriorityOp(process.ioPriority)] : []),
    ...(noNewPrivileges
      ? [{ op: 'prctl', option: n.PR_SET_NO_NEW_PRIVS, args: [1, 0, 0, 0], why: spec('noNewPrivileges') } as const]
      : []),
    ...cwdOps(process, plan.root),
    // Without no_new_privs a filter needs CAP_SYS_ADMIN, which is about to go.
    ...(noNewPrivileges ? [] : seccomp),
    ...userOps(process, sets, plan.denySetgroups),
    ...(noNewPrivileges ? seccomp : []),
    ...(plan.startHooks ?? []),
    ...(plan.gate === undefined ? [] : [{ op: 'checkExec', candidates, ...words } as const, ...plan.gate]),
    ...closeOps(slots),
    {
      op: 'closeOnExecFrom',
      fd: 3 + plan.preserveFds,
      why: 'no descriptor of the host reaches the container (CVE-2024-21626)',
    },
    { op: 'exec', candidates, args, env, ...words },
  ];
}

/** Even close-on-exec is too late: execve looks its path up before it closes anything. */
const closeOps = (slots: Slots): readonly Op[] =>
  slots.open().map(slot => ({
    op: 'close',
    slot,
    tolerate: ['EBADF'],
    why: 'no path through /proc/self/fd leads out (CVE-2024-21626)',
  }));

function labelOps(process: Process, proc: Slot | undefined): readonly Op[] {
  if (process.selinuxLabel) throw new NotImplemented('process.selinuxLabel is set, but SELinux is not supported');
  if (!process.apparmorProfile) return [];
  return [
    {
      op: 'write',
      ...procPath(proc, 'self/attr/apparmor/exec'),
      // /proc/self is a link.
      resolve: n.RESOLVE_BENEATH | n.RESOLVE_NO_XDEV,
      data: `exec ${process.apparmorProfile}`,
      why: spec('apparmorProfile'),
      failure: 'unable to apply apparmor profile: apparmor failed to apply profile',
    },
  ];
}

/** Looked up within the root and through no magic link: /proc/self/fd/7 is not a working directory (CVE-2024-21626). */
const cwdOps = (process: Process, root: Slot): readonly Op[] => [
  {
    op: 'chdir',
    ...inside(root, process.cwd),
    why: spec('cwd'),
    failure: `chdir to cwd ("${process.cwd}") set in config.json failed`,
  },
];

function userOps(process: Process, sets: CapabilitySets, denySetgroups: boolean): readonly Op[] {
  const { uid, gid, umask, additionalGids = [] } = process.user;
  if (denySetgroups && additionalGids.length > 0) {
    throw new InvalidArgument('cannot set any additional groups in a rootless container');
  }
  const why = spec('user');
  return [
    ...dropBounding(sets),
    // The permitted set must outlive the change of user, to be cut down after.
    ...(uid === 0 ? [] : [{ op: 'prctl', option: n.PR_SET_KEEPCAPS, args: [1, 0, 0, 0], why } as const]),
    ...(denySetgroups
      ? []
      : [{ op: 'setgroups', gids: additionalGids, why, failure: 'unable to setup user: setgroups' } as const]),
    { op: 'setgid', gid, why, failure: 'unable to setup user: setgid' },
    { op: 'setuid', uid, why, failure: 'unable to setup user: setuid' },
    ...applyCapabilities(sets),
    { op: 'umask', mask: umask ?? 0o022, why: spec('user.umask') },
  ];
}

function seccompOps(seccomp: Seccomp, slots: Slots): readonly Op[] {
  const { filter, flags } = compileSeccomp(seccomp);
  const why = 'runtime-spec config-linux.md: seccomp';
  const failure = 'unable to init seccomp: error loading seccomp filter into kernel';
  if (!seccomp.listenerPath) return [{ op: 'seccomp', filter, flags, why, failure }];
  const listener = slots.take();
  slots.give(listener);
  return [
    { op: 'seccomp', filter, flags, listener, why, failure },
    { op: 'sendFd', slot: listener, why: 'seccomp.listenerPath' },
    { op: 'close', slot: listener },
  ];
}
