// Real containers of busybox for tests: a root made on the spot, a task service with an exec root of its own.

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Process, RuntimeSpec } from '../../../oci/index.ts';
import type { ExitStatus, LogConfig } from '../../../shim/index.ts';
import { externalRuntime } from '../external-runtime.ts';
import type { CreateTaskOptions, TaskEvent, TaskService } from '../task-service.ts';
import { openTasks } from '../tasks.ts';

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find(existsSync);

/** Why such tests cannot run here, or false. */
export const cannotRun: string | false =
  process.geteuid?.() !== 0 ? 'needs root' : busybox === undefined ? 'needs busybox (Debian: busybox-static)' : false;

const applets = ['sh', 'cat', 'echo', 'sleep', 'true', 'id', 'ps', 'kill', 'seq', 'head', 'stty', 'ls', 'dd', 'tail'];
/** Where the cgroups of this process's tests are, by hierarchy. */
export const cgroupParent = `berth-test-${process.pid}`;

const caps = ['CAP_CHOWN', 'CAP_KILL', 'CAP_SETUID', 'CAP_SETGID', 'CAP_SYS_CHROOT'];

/** Across all instances: cgroups are named after the ids. */
let count = 0;

const realRuntimes = ['/usr/bin/runc', '/usr/sbin/runc', process.env.BERTH_TEST_RUNC ?? ''].filter(
  path => path !== '' && existsSync(path),
);

/** Runtimes of others (BERTH_TEST_RUNC names one more: crun, say, which does not run on every arrangement of cgroups); where the machine has none, our own command line as one (each call of it starts a Node). */
export const externalPaths: ReadonlyMap<string, string> = new Map(
  (realRuntimes.length > 0 ? realRuntimes : [join(import.meta.dirname, '../../../../bin/berth-runc')]).map(
    path => [basename(path), path] as const,
  ),
);

export class TestTasks implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'berth-tasks-'));
  readonly events: TaskEvent[] = [];
  tasks: TaskService;

  constructor() {
    const bin = join(this.directory, 'root', 'bin');
    for (const name of ['bin', 'proc', 'dev', 'sys', 'tmp', 'etc']) {
      mkdirSync(join(this.directory, 'root', name), { recursive: true });
    }
    copyFileSync(busybox!, join(bin, 'busybox'));
    for (const applet of applets) symlinkSync('busybox', join(bin, applet));
    this.tasks = this.#open();
  }

  #open(): TaskService {
    const root = join(this.directory, 'runtime');
    const runtimes = new Map(
      [...externalPaths].map(([name, path]) => [name, externalRuntime({ path, root: `${root}-${name}` })] as const),
    );
    const tasks = openTasks({ execRoot: join(this.directory, 'exec'), runtimes });
    tasks.subscribe(event => this.events.push(event));
    return tasks;
  }

  /** Another daemon in the place of the one that was. */
  async reopen(): Promise<void> {
    await this.tasks.close();
    this.tasks = this.#open();
  }

  process(script: string, more: Partial<Process> = {}): Process {
    return {
      user: { uid: 0, gid: 0 },
      args: ['sh', '-c', script],
      env: ['PATH=/bin'],
      cwd: '/',
      capabilities: { bounding: caps, effective: caps, permitted: caps },
      oomScoreAdj: 0,
      ...more,
    };
  }

  options(
    script: string,
    more: Partial<CreateTaskOptions> & { process?: Partial<Process>; memory?: number } = {},
  ): CreateTaskOptions {
    const id = more.id ?? `t${process.pid}-${++count}`;
    const log: LogConfig = { type: 'json-file', path: join(this.directory, `${id}.log`) };
    const spec: RuntimeSpec = {
      ociVersion: '1.3.0',
      root: { path: join(this.directory, 'root') },
      hostname: 'test',
      process: this.process(script, more.process),
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] },
        { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666'] },
      ],
      linux: {
        cgroupsPath: `/${cgroupParent}/${id}`,
        namespaces: [{ type: 'pid' }, { type: 'mount' }, { type: 'ipc' }, { type: 'uts' }, { type: 'network' }],
        ...(more.memory !== undefined && { resources: { memory: { limit: more.memory, swap: more.memory } } }),
      },
    };
    return {
      id,
      spec,
      io: more.io ?? { terminal: false, stdin: false, stdinOnce: false, log },
      ...(more.runtime !== undefined && { runtime: more.runtime }),
      ...(more.rootfs !== undefined && { rootfs: more.rootfs }),
    };
  }

  async run(script: string): Promise<{ id: string; status: ExitStatus }> {
    const options = this.options(script);
    await this.tasks.create(options);
    await this.tasks.start(options.id);
    return { id: options.id, status: await this.tasks.wait(options.id) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { id, status } of this.tasks.list()) {
      if (status !== 'stopped') await this.tasks.kill(id, 9, { all: true }).catch(() => {});
      if (status === 'running' || status === 'paused') await this.tasks.wait(id);
      await this.tasks.delete(id);
    }
    await this.tasks.close();
    rmSync(this.directory, { recursive: true, force: true });
    for (const hierarchy of ['', ...readdirSync('/sys/fs/cgroup')]) {
      try {
        rmdirSync(join('/sys/fs/cgroup', hierarchy, cgroupParent));
      } catch {
        // No hierarchy, or none of our cgroups was in it.
      }
    }
  }
}
