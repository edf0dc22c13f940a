import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AlreadyExists, FailedPrecondition, InvalidArgument, NotFound } from '../../errdefs/index.ts';
import type { Program } from '../../launcher/index.ts';
import { connectShim, type ExitStatus, readExitFile, type ShimEvent, startShim } from '../../shim/index.ts';
import { startBinaryLog } from './binary-log.ts';
import { ociRuntime } from './oci-runtime.ts';
import type { Runtime, RuntimeCreateOptions } from './runtime.ts';
import { StateDirectory, type TaskState } from './state-directory.ts';
import { bringTerminal, Task } from './task.ts';
import type { CreateTaskOptions, TaskEvent, TaskInfo, TaskService } from './task-service.ts';

export interface TasksOptions {
  /** Tasks live in `<execRoot>/tasks`. */
  readonly execRoot: string;
  /** Where output of slow clients waits: a disk rather than memory. Default: the task's directory. */
  readonly spillDirectory?: string;
  /** Runtimes by name, beside our own (which `runtimes` may not replace). */
  readonly runtimes?: ReadonlyMap<string, Runtime>;
}

/** Names of our own runtime: Docker's for runc, since it is in the place of that. */
const ownNames: readonly string[] = ['runc', 'io.containerd.runc.v2', 'berth'];

const neverRan: ExitStatus = { code: 0, signal: 0, timeNs: 0n, oom: false };
const SIGKILL = 9;

/** A shim leaves `unstarted` where its container never ran. One that was killed while it ran leaves its socket; without that there was none. */
function neverStarted(directory: string): boolean {
  return existsSync(join(directory, 'unstarted')) || !existsSync(join(directory, 'shim.sock'));
}

/** The task service over our own shims. */
export function openTasks(options: TasksOptions): TaskService {
  const { spillDirectory } = options;
  const own = ociRuntime();
  const runtimeNamed = (name: string): Runtime => {
    const runtime = ownNames.includes(name) ? own : options.runtimes?.get(name);
    if (runtime === undefined) throw new InvalidArgument(`unknown or invalid runtime name: ${name}`);
    return runtime;
  };
  const directories = new StateDirectory(`${options.execRoot}/tasks`);
  const tasks = new Map<string, Task>();
  /** What created tasks run, until they are started: to explain a failure. */
  const programs = new WeakMap<Task, Program>();
  const listeners = new Set<(event: TaskEvent) => void>();
  /** Clean-up that still runs, by task id: a new task of that id waits for it, since it may have the same cgroup. */
  const cleaning = new Map<string, Promise<void>>();

  const emit = (event: TaskEvent): void => {
    for (const listener of listeners) listener(event);
  };

  const find = (id: string): Task => {
    const task = tasks.get(id);
    if (task === undefined) throw new NotFound(`task ${id} not found`);
    return task;
  };

  const newTask = (state: TaskState, spec: Task['spec'], directory: string): Task =>
    new Task({ state, spec, directory, runtime: runtimeNamed(state.runtime), directories, emit });

  const cleanUp = (task: Task): void => {
    const forgotten = task.runtime.external?.delete(task.id, task.directory) ?? Promise.resolve();
    const removed = forgotten
      .then(() => Promise.allSettled([directories.remove(task.id), task.cgroup.remove()]))
      .then(() => {
        if (cleaning.get(task.id) === removed) cleaning.delete(task.id);
      });
    cleaning.set(task.id, removed);
  };

  const create = async (create: CreateTaskOptions) => {
    const { id, spec, io } = create;
    if (tasks.has(id)) throw new AlreadyExists(`task ${id} already exists`);
    await cleaning.get(id);
    const begin = performance.now();
    const name = create.runtime ?? 'berth';
    const runtime = runtimeNamed(name);
    const request: RuntimeCreateOptions = {
      id,
      spec,
      directory: directories.path(id),
      bundle: create.bundle ?? directories.path(id),
      stdin: io.stdin,
      ...(create.rootfs !== undefined && { rootfs: create.rootfs }),
      ...(create.netns !== undefined && { netns: create.netns }),
    };
    const { program, cgroups, warnings } = runtime.compileCreate(request);
    const state: TaskState = { id, io, cgroups, runtime: name };
    const directory = directories.create(state, spec);
    const task = newTask(state, spec, directory);
    tasks.set(id, task);
    const compiled = performance.now();
    try {
      const { external } = runtime;
      external?.prepare(request);
      using terminal = io.terminal ? await external?.console(directory, 0) : undefined;
      using logger = io.log.type === 'binary' ? await startBinaryLog(id, io.log) : undefined;
      const shim = await startShim({
        id,
        program,
        directory,
        io: { terminal: io.terminal, stdin: io.stdin, stdinOnce: io.stdinOnce, external: external !== undefined },
        log: io.log.type === 'binary' ? { type: 'none' } : io.log,
        oomScore: { shim: -998, container: spec.process?.oomScoreAdj ?? 0 },
        onEvent: (event: ShimEvent) => task.onShim(event),
        ...(spillDirectory !== undefined && { spillDirectory }),
        ...(task.cgroup.oom !== undefined && { oom: task.cgroup.oom }),
      });
      for (const client of logger?.clients ?? []) await shim.attach(0, client);
      if (terminal !== undefined) await bringTerminal(shim, 0, terminal);
      await external?.created(request, shim.initPid);
      task.created(shim);
      programs.set(task, program);
      const timings = { compileMs: compiled - begin, programMs: performance.now() - compiled };
      return { pid: shim.initPid, timings, warnings };
    } catch (error) {
      tasks.delete(id);
      cleanUp(task);
      throw runtime.explain(error, 'create', program, directory);
    }
  };

  const start = async (id: string) => {
    const task = find(id);
    try {
      await task.start();
    } catch (error) {
      const explained = task.runtime.explain(error, 'create', programs.get(task) ?? [], task.directory);
      if (task.status === 'created') {
        tasks.delete(id);
        await task.release();
        cleanUp(task);
      }
      throw explained;
    } finally {
      programs.delete(task);
    }
  };

  const remove = async (id: string): Promise<ExitStatus> => {
    const task = find(id);
    if (task.status === 'running' || task.status === 'paused') throw new FailedPrecondition(`task ${id} is running`);
    tasks.delete(id);
    await task.release();
    cleanUp(task);
    emit({ type: 'delete', id });
    return task.exit ?? neverRan;
  };

  /** Nobody was told of it. */
  const discard = async (task: Task): Promise<void> => {
    await task.cgroup.killAll(SIGKILL).catch(() => {});
    cleanUp(task);
  };

  const adoptOne = async (id: string): Promise<TaskInfo | undefined> => {
    let state: TaskState;
    let spec: Task['spec'];
    try {
      state = directories.readState(id);
      spec = directories.readSpec(id);
    } catch {
      await directories.remove(id); // half made before there was a shim
      return undefined;
    }
    const task = newTask(state, spec, directories.path(id));
    const connected = await connectShim(task.directory, [], event => task.onShim(event)).catch(() => undefined);
    if (connected === undefined) {
      const known = readExitFile(task.directory);
      if (known === null && neverStarted(task.directory)) {
        await discard(task);
        return undefined;
      }
      tasks.set(id, task);
      task.adopted(undefined, 'created');
      if (known === null) await task.recover();
      else task.end(known);
      return task.info;
    }
    const { shim, state: found } = connected;
    if (found.phase === 'creating' || found.phase === 'created') {
      // Its daemon died in between: nobody was told of it.
      await shim.shutdown().catch(() => {});
      shim.close();
      await discard(task);
      return undefined;
    }
    tasks.set(id, task);
    task.adopted(shim, task.cgroup.frozen() ? 'paused' : 'running', found.execs);
    if (found.exit !== undefined) task.end(found.exit);
    return task.info;
  };

  return {
    create,
    start,
    delete: remove,
    kill: async (id, signal, { execId, all } = {}) => {
      const task = find(id);
      if (all) await task.cgroup.killAll(signal);
      else await task.kill(signal, execId);
    },
    exec: async (id, exec) => find(id).addExec(exec),
    startExec: (id, execId, client) => find(id).startExec(execId, client),
    deleteExec: async (id, execId) => find(id).deleteExec(execId),
    resizePty: (id, execId, size) => find(id).resize(execId, size),
    closeIO: (id, execId) => find(id).closeIO(execId),
    pause: id => find(id).pause(),
    resume: id => find(id).resume(),
    listPids: async id => find(id).cgroup.pids(),
    update: async (id, resources) => find(id).cgroup.update(resources),
    metrics: async id => find(id).cgroup.stats(),
    wait: async (id, execId) => find(id).wait(execId),
    attach: async (id, execId, client) => find(id).attach(execId, client),
    get: id => find(id).info,
    list: () => [...tasks.values()].map(task => task.info),
    adopt: async () => {
      const found = await Promise.all(directories.list().map(adoptOne));
      await directories.emptyTrash();
      return found.filter(info => info !== undefined);
    },
    subscribe: listener => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    close: async () => {
      for (const task of tasks.values()) task.close();
      await Promise.all([...tasks.values()].map(task => task.compressor.settled()));
      await Promise.all(cleaning.values());
    },
  };
}
