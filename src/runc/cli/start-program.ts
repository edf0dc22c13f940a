// Creating, running and executing on the command line: compile, launch, remember, and take back what a failure left.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { InvalidArgument, NotFound } from '../../errdefs/index.ts';
import { type Process, parseRuntimeSpec, type RuntimeSpec } from '../../oci/index.ts';
import { openCgroup } from '../cgroups/cgroup.ts';
import { planCreate } from '../create.ts';
import type { Context } from './context.ts';
import type { Flags, FlagTable } from './flags.ts';
import { type Launched, launch } from './launch.ts';
import { processStat } from './state-store.ts';
import type { TerminalServer } from './terminal.ts';

/** Flags that create and run share. */
export const createFlags: FlagTable = {
  bundle: 'string',
  b: { alias: 'bundle' },
  'console-socket': 'string',
  'pidfd-socket': 'string',
  'pid-file': 'string',
  'no-pivot': 'boolean',
  'no-new-keyring': 'boolean',
  'preserve-fds': 'number',
};

/** Reads a bundle's config.json. */
export function loadSpec(bundle: string): RuntimeSpec {
  const path = join(bundle, 'config.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new NotFound('JSON specification file config.json not found', { cause });
  }
  return parseRuntimeSpec(text);
}

/** The one container id that a command takes. */
export function containerId(flags: Flags, command: string): string {
  const id = flags.rest[0];
  if (id === undefined || id === '') throw new InvalidArgument(`${command}: container id cannot be empty`);
  return id;
}

/** Descriptors from 3 on that the container gets: those of socket activation, told by LISTEN_FDS, and `--preserve-fds` more. */
export function preservedFds(flags: Flags): { readonly count: number; readonly env: readonly string[] } {
  const listen = Number(process.env.LISTEN_FDS ?? 0) || 0;
  const count = listen + (flags.number('preserve-fds') ?? 0);
  return { count, env: listen > 0 ? [`LISTEN_FDS=${listen}`, 'LISTEN_PID=1'] : [] };
}

/** A process with what the command line adds: descriptors told, and the size of the terminal it is shown in. */
export function describeProcess(process: Process, env: readonly string[], tty: TerminalServer | undefined): Process {
  const size = process.consoleSize ?? tty?.size;
  return { ...process, env: [...(process.env ?? []), ...env], ...(size && { consoleSize: size }) };
}

const withProcess = (spec: RuntimeSpec, change: (process: Process) => Process): RuntimeSpec =>
  spec.process === undefined ? spec : { ...spec, process: change(spec.process) };

/** Makes the container and remembers it. `gate` is `fifo` for create, `none` for run. */
export async function createContainer(
  { store, log }: Context,
  flags: Flags,
  id: string,
  gate: 'fifo' | 'none',
  wait: boolean,
  tty?: TerminalServer,
): Promise<Launched> {
  const bundle = resolve(flags.string('bundle') ?? '.');
  const preserved = preservedFds(flags);
  const consoleSocket = tty?.socketPath ?? flags.string('console-socket');
  const spec = withProcess(loadSpec(bundle), process => describeProcess(process, preserved.env, tty));
  const directory = store.reserve(id);
  let plan: ReturnType<typeof planCreate> | undefined;
  let launched: Launched | undefined;
  try {
    const fifo = gate === 'fifo' ? store.makeFifo(directory) : undefined;
    plan = planCreate({
      id,
      spec,
      bundle,
      stdio: 'inherit',
      startGate: gate,
      ...(spec.linux?.netDevices && { netDevices: (await import('../net-devices.ts')).netDeviceOps(spec) }),
      ...(fifo !== undefined && { fifo }),
      ...(consoleSocket !== undefined && { consoleSocket: resolve(consoleSocket) }),
      ...(flags.string('pidfd-socket') !== undefined && { pidfdSocket: resolve(flags.string('pidfd-socket')!) }),
      noPivot: flags.has('no-pivot'),
      noNewKeyring: flags.has('no-new-keyring'),
      preserveFds: preserved.count,
    });
    for (const warning of plan.warnings) log.warn(warning);
    if (plan.cgroups !== undefined && openCgroup(plan.cgroups).pids().length > 0) {
      throw new InvalidArgument("container's cgroup is not empty");
    }
    launched = launch(plan.program, { wait, preserveFds: preserved.count });
    store.write(
      {
        id,
        pid: launched.pid,
        startTime: processStat(launched.pid)?.startTime ?? '',
        bundle,
        rootfs: resolve(bundle, spec.root?.path ?? 'rootfs'),
        created: new Date().toISOString(),
        cgroups: plan.cgroups,
        ownerUid: process.getuid?.() ?? 0,
      },
      spec,
    );
    writePidFile(flags.string('pid-file'), launched.pid);
    return launched;
  } catch (error) {
    if (launched !== undefined) tryKill(launched.pid);
    if (plan !== undefined) {
      const cgroup = openCgroup(plan.cgroups);
      await cgroup.killAll(9).catch(() => undefined);
      await cgroup.remove().catch(() => undefined);
    }
    store.remove(id);
    throw error;
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/** Whole or not at all: engines read it as soon as it is there. */
export function writePidFile(path: string | undefined, pid: number): void {
  if (path === undefined) return;
  const absolute = resolve(path);
  const temporary = join(dirname(absolute), `.${pid}.pid`);
  writeFileSync(temporary, String(pid));
  renameSync(temporary, absolute);
}

/** Signals that a waiting command hands on to the container. */
const forwarded = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGCONT', 'SIGWINCH'] as const;

/** Waits for the process and hands signals on to it. Returns its exit code. */
export async function waitAndForward({ pid, exited }: Launched): Promise<number> {
  const forward = (signal: NodeJS.Signals) => {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended: the exit is on its way.
    }
  };
  for (const signal of forwarded) process.on(signal, forward);
  try {
    return (await exited)?.code ?? 0;
  } finally {
    for (const signal of forwarded) process.off(signal, forward);
  }
}
