// The list of the container's init: from its first instruction in new namespaces to execve.

import { InvalidArgument } from '../errdefs/index.ts';
import type { Op, Slot } from '../launcher/index.ts';
import { allCapabilities, availableCapabilities, type Compilation, type HostFacts, inside } from './compilation.ts';
import type { CreateOptions } from './create.ts';
import { hookOps } from './hooks.ts';
import * as n from './numbers.ts';
import { awaitsOutside, type NetworkPlan, type Prepared, pivotsLast } from './outside.ts';
import { processOps } from './process/process.ts';
import { memoryPolicyOp, personalityOp } from './process/scheduling.ts';
import { type EnteredRoot, enterRootfs, sealRootfs } from './rootfs/rootfs.ts';
import { procPath } from './rootfs/sysctl.ts';
import { terminalOps } from './stdio.ts';
import { deniesSetgroups } from './user-namespace.ts';

export function composeInit(
  compilation: Compilation,
  options: CreateOptions,
  prepared: Prepared,
  network: NetworkPlan,
  warnings: string[],
): void {
  const { spec, init } = compilation;
  const linux = spec.linux ?? {};
  init.push(...oomOps(spec.process?.oomScoreAdj, compilation.facts, warnings));
  enterNamespaces(compilation, prepared);
  separate(compilation, options);
  const pivotLast = pivotsLast(spec);
  const root = enterRootfs(compilation, {
    rootfs: options.rootfs ?? [],
    pivotLast,
    noPivot: options.noPivot ?? false,
    needsProc:
      Object.keys(linux.sysctl ?? {}).length > 0 ||
      (network.netns?.sysctls?.length ?? 0) > 0 ||
      Boolean(spec.process?.apparmorProfile),
  });
  if (pivotLast) init.push({ op: 'notify', peer: 'parent', why: 'hooks of the runtime namespace may run' });
  if (awaitsOutside(compilation, network))
    init.push({ op: 'await', peer: 'parent', why: 'until the outside has done its part' });
  init.push(...hookOps(compilation, 'createContainer', 'creating'));
  root.pivot();
  networkOps(compilation, network, root.proc);
  sealRootfs(compilation, root);
  nameOps(compilation);
  if (linux.personality) init.push(personalityOp(linux.personality));
  if (linux.memoryPolicy) init.push(memoryPolicyOp(linux.memoryPolicy));
  makeCwd(compilation, root.root);
  finishInit(compilation, options, root, prepared);
}

/** Cgroups first, while the host's are in view; then namespaces, of which a cgroup namespace shows whatever we are in by then. */
function enterNamespaces(compilation: Compilation, { cgroup, joins, between }: Prepared): void {
  const { init, slots, namespaces } = compilation;
  if (between === undefined) init.push(...cgroup.join);
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
  if (compilation.newUserNamespace) init.push({ op: 'await', peer: 'parent', why: 'until our ids are mapped' });
  if (compilation.userNamespace)
    init.push(
      { op: 'setgid', gid: 0, why: 'root of the user namespace' },
      { op: 'setuid', uid: 0, why: 'root of the user namespace' },
    );
  // Not before the ids are mapped: it takes the map's files away from an unprivileged owner.
  init.push({
    op: 'prctl',
    option: n.PR_SET_DUMPABLE,
    args: [0, 0, 0, 0],
    why: 'nobody in a joined pid namespace may look into us',
  });
  if (namespaces.unshareCgroup) {
    init.push({ op: 'unshare', flags: n.CLONE_NEWCGROUP, why: 'after joining: its root is where we are' });
  }
  if (cgroup.into !== undefined) {
    init.push({ op: 'close', slot: cgroup.into });
    slots.give(cgroup.into);
  }
}

/** A session, a keyring and a umask of its own. */
function separate({ init, id }: Compilation, { noNewKeyring }: CreateOptions): void {
  init.push({ op: 'setsid', why: 'a session of its own' });
  if (noNewKeyring !== true) {
    init.push({
      op: 'joinSessionKeyring',
      name: `_ses.${id}`,
      tolerate: ['ENOSYS', 'EPERM', 'EOPNOTSUPP'],
      why: "the host's session keyring stays outside",
    });
  }
  init.push({ op: 'umask', mask: 0, why: 'modes are what the spec says' });
}

function networkOps({ init }: Compilation, { netns, devices }: NetworkPlan, proc: Slot | undefined): void {
  for (const { path, value, comment } of netns?.sysctls ?? []) {
    init.push({
      op: 'write',
      ...procPath(proc, path.replace(/^\/proc\//, '')),
      data: value,
      why: comment,
      tolerate: ['ENOENT', 'EROFS', 'EACCES'],
    });
  }
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
  { stdio, fifo }: Prepared,
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
