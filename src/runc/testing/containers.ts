// Real containers for tests: a root of busybox in a temporary directory, run to their end, with all they left taken back.

import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProgramError, runProgram } from '../../launcher/index.ts';
import type { Process, RuntimeSpec } from '../../oci/index.ts';
import { openCgroup } from '../cgroups/cgroup.ts';
import { cgroupHost } from '../cgroups/host.ts';
import { type CgroupPaths, cgroupPaths } from '../cgroups/paths.ts';
import { type CreateOptions, planCreate } from '../create.ts';
import { compileExec } from '../exec.ts';
import { failureMessage } from '../failure.ts';
import { netDeviceOps } from '../net-devices.ts';
import { baseSpec } from './specs.ts';

const busybox = '/bin/busybox';

/** Why real containers cannot be run here; false when they can. */
export const cannotRun: string | false =
  process.geteuid?.() !== 0
    ? 'needs root'
    : existsSync(busybox)
      ? false
      : 'needs a static busybox (Debian: busybox-static)';

const applets = [
  'sh',
  'cat',
  'echo',
  'env',
  'false',
  'grep',
  'head',
  'hostname',
  'id',
  'kill',
  'ls',
  'mkdir',
  'mknod',
  'mount',
  'ps',
];
const moreApplets = [
  'pwd',
  'readlink',
  'rm',
  'sleep',
  'stat',
  'stty',
  'touch',
  'true',
  'tty',
  'umount',
  'unshare',
  'wc',
  'dd',
  'chmod',
  'awk',
];

export interface Ended {
  readonly code: number;
  /** Both streams. */
  readonly output: string;
}

/** A container that runs until the test ends it. */
export interface Running {
  readonly pid: number;
  readonly cgroups: CgroupPaths;
  readonly spec: RuntimeSpec;
  readonly output: () => string;
  exec(process: Partial<Process>, exec?: { consoleSocket?: string }): Promise<Ended>;
  end(): Promise<Ended>;
}

/** Counts, so that ids of tests in one process differ. */
let count = 0;

export class TestContainers implements AsyncDisposable {
  readonly bundle = mkdtempSync(join(tmpdir(), 'rnc-bundle-'));
  readonly rootfs = join(this.bundle, 'rootfs');
  /** The parent of all cgroups made here. */
  readonly #cgroup = `/rnc-test-${process.pid}-${++count}`;
  readonly #running = new Set<Running>();

  constructor() {
    for (const directory of ['bin', 'proc', 'sys', 'dev', 'tmp', 'etc', 'root'])
      mkdirSync(join(this.rootfs, directory), { recursive: true });
    copyFileSync(busybox, join(this.rootfs, 'bin/busybox'));
    for (const applet of [...applets, ...moreApplets]) symlinkSync('busybox', join(this.rootfs, 'bin', applet));
  }

  /** The spec of these changes; cgroup path and root are this test's own. */
  spec(
    changes: Parameters<typeof baseSpec>[0],
    id = `rnc-${process.pid}-${++count}`,
  ): { id: string; spec: RuntimeSpec } {
    const linux = { cgroupsPath: `${this.#cgroup}/${id}`, ...changes.linux };
    return { id, spec: baseSpec({ ...changes, linux, spec: { root: { path: 'rootfs' }, ...changes.spec } }) };
  }

  /** Runs a shell script in a container of these changes. Throws an Error in runc's words when it cannot be started. */
  async run(
    script: string,
    changes: Parameters<typeof baseSpec>[0] = {},
    options: Partial<CreateOptions> = {},
  ): Promise<Ended> {
    const running = await this.start(
      { ...changes, process: { args: ['sh', '-c', script], ...changes.process } },
      options,
    );
    return await this.#finish(running, false);
  }

  async start(changes: Parameters<typeof baseSpec>[0], options: Partial<CreateOptions> = {}): Promise<Running> {
    const { id, spec } = this.spec(changes);
    const plan = planCreate({
      id,
      spec,
      bundle: this.bundle,
      stdio: 'inherit',
      startGate: 'none',
      ...(spec.linux?.netDevices && { netDevices: netDeviceOps(spec) }),
      ...options,
    });
    const file = join(this.bundle, `${id}.out`);
    const fd = openSync(file, 'w+');
    try {
      const run = await runProgram(plan.program, { wait: true, stdio: [-1, fd, fd] });
      const running: Running = {
        pid: run.pid,
        cgroups: plan.cgroups,
        spec,
        output: () => readFileSync(file, 'utf8'),
        exec: (change, more) => this.#exec(running, change, more),
        end: () => this.#finish(running, true),
      };
      this.#exits.set(running, run.exited!);
      this.#running.add(running);
      return running;
    } catch (error) {
      await openCgroup(plan.cgroups).remove();
      if (error instanceof ProgramError) throw new Error(failureMessage(plan.program, error.failure), { cause: error });
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  readonly #exits = new WeakMap<Running, Promise<{ readonly code: number }>>();

  async #exec(running: Running, change: Partial<Process>, more: { consoleSocket?: string } = {}): Promise<Ended> {
    const process: Process = { ...running.spec.process!, ...change };
    const program = compileExec({
      spec: running.spec,
      process,
      initPid: running.pid,
      cgroups: running.cgroups,
      stdio: 'inherit',
      ...more,
    });
    const file = join(this.bundle, `exec-${++count}.out`);
    const fd = openSync(file, 'w+');
    try {
      const run = await runProgram(program, { wait: true, stdio: [-1, fd, fd] });
      const { code } = await run.exited!;
      return { code, output: readFileSync(file, 'utf8') };
    } catch (error) {
      if (error instanceof ProgramError) throw new Error(failureMessage(program, error.failure), { cause: error });
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  async #finish(running: Running, kill: boolean): Promise<Ended> {
    const cgroup = openCgroup(running.cgroups);
    if (kill) await cgroup.killAll(9);
    const exit = await this.#exits.get(running)!;
    // Without a pid namespace of its own it may have left some.
    if (cgroup.pids().length > 0) await cgroup.killAll(9);
    await cgroup.remove();
    this.#running.delete(running);
    return { code: exit.code, output: running.output() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of [...this.#running]) await this.#finish(running, true);
    await openCgroup(cgroupPaths(cgroupHost(), this.#cgroup, '')).remove();
    rmSync(this.bundle, { recursive: true, force: true });
  }
}
