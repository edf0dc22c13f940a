import { AlreadyExists, FailedPrecondition, NotFound, Unavailable } from '../../errdefs/index.ts';
import { native, type Program } from '../../launcher/index.ts';
import type { RuntimeSpec } from '../../oci/index.ts';
import type { Cgroup } from '../../runc/index.ts';
import { type AttachClient, type ExitStatus, readExitFile, type Shim, type ShimEvent } from '../../shim/index.ts';
import { LogCompressor } from './log-compressor.ts';
import type { PendingConsole, Runtime } from './runtime.ts';
import type { StateDirectory, TaskState } from './state-directory.ts';
import type { ExecTaskOptions, TaskEvent, TaskInfo, TaskStatus } from './task-service.ts';

const SIGKILL = 9;
/** Numbers of execs start anew with each daemon, well above what the one before had given out by then. */
const numbersPerAdoption = 1 << 20;

/** An exec of a task. */
interface Exec {
  readonly id: string;
  /** Absent where an earlier daemon has started it. */
  readonly options?: ExecTaskOptions;
  number: number;
  pid: number;
  exit?: ExitStatus;
  readonly ended: PromiseWithResolvers<ExitStatus>;
}

/** Hands the pty that an external runtime has sent to the shim. */
export async function bringTerminal(shim: Shim, number: number, terminal: PendingConsole): Promise<void> {
  const fd = await terminal.fd;
  try {
    await shim.terminal(number, fd);
  } finally {
    native().close(fd);
  }
}

/** One task, as its service holds it: follows what the shim tells. */
export class Task {
  readonly id: string;
  readonly directory: string;
  readonly state: TaskState;
  readonly spec: RuntimeSpec;
  readonly cgroup: Cgroup;
  readonly runtime: Runtime;
  readonly compressor = new LogCompressor();
  readonly #emit: (event: TaskEvent) => void;
  readonly #directories: StateDirectory;
  readonly #execs = new Map<string, Exec>();
  readonly #ended = Promise.withResolvers<ExitStatus>();
  #shim: Shim | undefined;
  #status: TaskStatus = 'created';
  #exit: ExitStatus | undefined;
  #pid = 0;
  #nextNumber = 1;
  /** Is a shim that leaves without a word the end of the task? Not while it is being created, started or deleted: then the answer tells. */
  #watched = false;

  constructor(options: {
    state: TaskState;
    spec: RuntimeSpec;
    directory: string;
    runtime: Runtime;
    directories: StateDirectory;
    emit: (event: TaskEvent) => void;
  }) {
    this.id = options.state.id;
    this.state = options.state;
    this.spec = options.spec;
    this.directory = options.directory;
    this.runtime = options.runtime;
    this.#directories = options.directories;
    this.#emit = options.emit;
    this.cgroup = options.runtime.cgroup(options.state.cgroups);
  }

  get info(): TaskInfo {
    const execs = [...this.#execs.values()].map(exec => ({
      execId: exec.id,
      pid: exec.pid,
      ...(exec.exit !== undefined && { exit: exec.exit }),
    }));
    return {
      id: this.id,
      status: this.#status,
      pid: this.#pid,
      execs,
      ...(this.#exit !== undefined && { exit: this.#exit }),
    };
  }

  get exit(): ExitStatus | undefined {
    return this.#exit;
  }

  get status(): TaskStatus {
    return this.#status;
  }

  /** The shim has created the container. */
  created(shim: Shim): void {
    this.#shim = shim;
    this.#pid = shim.initPid;
    this.#watched = true;
    this.#emit({ type: 'create', id: this.id, pid: this.#pid });
  }

  /** Found running (or ended) by a daemon that did not start it. */
  adopted(
    shim: Shim | undefined,
    status: TaskStatus,
    execs: readonly { execId: string; number: number; pid: number; exit?: ExitStatus }[] = [],
  ): void {
    this.#shim = shim;
    this.#pid = shim?.initPid ?? 0;
    this.#status = status;
    this.#watched = true;
    for (const { execId, number, pid, exit } of execs) {
      const exec: Exec = { id: execId, number, pid, ended: Promise.withResolvers() };
      this.#execs.set(execId, exec);
      this.#nextNumber = Math.max(this.#nextNumber, number + 1);
      if (exit !== undefined) this.#execEnded(exec, exit);
    }
    this.#nextNumber += numbersPerAdoption;
    this.#compress();
  }

  async start(): Promise<void> {
    if (this.#status !== 'created') throw new FailedPrecondition(`task ${this.id} is already ${this.#status}`);
    this.#watched = false;
    await this.runtime.external?.start(this.id, this.directory);
    await this.#connected().start();
    this.#watched = true;
    this.#status = 'running';
    this.#emit({ type: 'start', id: this.id, pid: this.#pid });
  }

  async kill(signal: number, execId?: string): Promise<void> {
    await this.#connected().kill(execId === undefined ? 0 : this.exec(execId).number, signal);
  }

  /** What the shim tells, in its order. */
  onShim(event: ShimEvent): void {
    switch (event.kind) {
      case 'exit':
        if (event.number === 0) this.end(event.status);
        else this.#execExit(event.number, event.status);
        return;
      case 'oom':
        this.#emit({ type: 'oom', id: this.id });
        return;
      case 'client':
        this.#clientEnded(event.id, event.number, event.why);
        return;
      case 'rotated':
        this.#compress();
        return;
      case 'lost':
        this.#shim = undefined;
        if (this.#exit === undefined && this.#watched) void this.recover();
        return;
    }
  }

  /** There is no shim, though the task has not ended as far as we know: its exit file tells, or it was killed, and then all of it must go. */
  async recover(): Promise<ExitStatus> {
    const known = readExitFile(this.directory);
    if (known !== null) {
      this.end(known);
      return known;
    }
    await this.cgroup.killAll(SIGKILL).catch(() => {}); // the kernel does it as well when the namespace's init is gone
    const status: ExitStatus = {
      code: 128 + SIGKILL,
      signal: SIGKILL,
      timeNs: BigInt(Date.now()) * 1_000_000n,
      oom: false,
    };
    try {
      this.#directories.writeExit(this.id, status);
    } catch {
      // Whoever has taken the directory away does not ask for its exit again.
    }
    this.end(status);
    return status;
  }

  end(status: ExitStatus): void {
    if (this.#exit !== undefined) return;
    this.#exit = status;
    this.#status = 'stopped';
    for (const exec of this.#execs.values()) {
      // An init that ends takes the others of its pid namespace along.
      if (exec.exit === undefined && exec.pid > 0 && this.#shim === undefined) {
        this.#execEnded(exec, { ...status, code: 128 + SIGKILL, signal: SIGKILL });
      }
    }
    this.#emit({ type: 'exit', id: this.id, pid: this.#pid, status });
    this.#ended.resolve(status);
  }

  wait(execId?: string): Promise<ExitStatus> {
    return execId === undefined ? this.#ended.promise : this.exec(execId).ended.promise;
  }

  // ── execs ────────────────────────────────────────────────────────────────────────────────────────────────────────

  exec(execId: string): Exec {
    const exec = this.#execs.get(execId);
    if (exec === undefined) throw new NotFound(`exec ${execId} of task ${this.id} not found`);
    return exec;
  }

  addExec(options: ExecTaskOptions): void {
    this.#mustRun();
    if (this.#execs.has(options.execId))
      throw new AlreadyExists(`exec ${options.execId} of task ${this.id} already exists`);
    this.#execs.set(options.execId, { id: options.execId, options, number: 0, pid: 0, ended: Promise.withResolvers() });
    this.#emit({ type: 'exec-added', id: this.id, execId: options.execId });
  }

  async startExec(execId: string, client?: AttachClient): Promise<{ pid: number; clientId?: number }> {
    const exec = this.exec(execId);
    this.#mustRun();
    if (exec.options === undefined || exec.number !== 0)
      throw new FailedPrecondition(`exec ${execId} has already been started`);
    exec.number = this.#nextNumber++;
    const { process, io } = exec.options;
    let program: Program = [];
    try {
      const { external } = this.runtime;
      using terminal = io.terminal ? await external?.console(this.directory, exec.number) : undefined;
      program = this.runtime.compileExec({
        id: this.id,
        directory: this.directory,
        number: exec.number,
        spec: this.spec,
        process,
        initPid: this.#pid,
        cgroups: this.state.cgroups,
        stdin: io.stdin,
      });
      const { pid, clientId } = await this.#connected().exec({
        number: exec.number,
        execId,
        program,
        io: { ...io, stdinOnce: true, external: external !== undefined },
        ...(client !== undefined && { client }),
      });
      if (terminal !== undefined) await bringTerminal(this.#connected(), exec.number, terminal);
      exec.pid = pid;
      this.#emit({ type: 'exec-started', id: this.id, execId, pid });
      return { pid, ...(clientId !== undefined && { clientId }) };
    } catch (error) {
      this.#execs.delete(execId);
      exec.ended.promise.catch(() => {});
      const explained = this.runtime.explain(error, 'exec', program, this.directory);
      exec.ended.reject(explained);
      throw explained;
    }
  }

  deleteExec(execId: string): ExitStatus | undefined {
    const exec = this.exec(execId);
    if (exec.pid > 0 && exec.exit === undefined) throw new FailedPrecondition(`exec ${execId} is running`);
    this.#execs.delete(execId);
    this.runtime.external?.forgetExec(this.directory, exec.number);
    return exec.exit;
  }

  #execExit(number: number, status: ExitStatus): void {
    for (const exec of this.#execs.values()) if (exec.number === number) this.#execEnded(exec, status);
  }

  #execEnded(exec: Exec, status: ExitStatus): void {
    if (exec.exit !== undefined) return;
    exec.exit = status;
    this.#emit({ type: 'exit', id: this.id, execId: exec.id, pid: exec.pid, status });
    exec.ended.resolve(status);
  }

  // ── streams ──────────────────────────────────────────────────────────────────────────────────────────────────────

  async attach(execId: string | undefined, client: AttachClient): Promise<number> {
    const number = execId === undefined ? 0 : this.exec(execId).number;
    return this.#connected().attach(number, client);
  }

  async resize(execId: string | undefined, size: { rows: number; columns: number }): Promise<void> {
    await this.#connected().resize(execId === undefined ? 0 : this.exec(execId).number, size);
  }

  async closeIO(execId: string | undefined): Promise<void> {
    await this.#connected().closeStdin(execId === undefined ? 0 : this.exec(execId).number);
  }

  #clientEnded(clientId: number, number: number, why: 'ended' | 'detached' | 'gone' | 'cut off'): void {
    const execId = [...this.#execs.values()].find(exec => exec.number === number && number !== 0)?.id;
    this.#emit({ type: 'client', id: this.id, clientId, why, ...(execId !== undefined && { execId }) });
  }

  #compress(): void {
    const { log } = this.state.io;
    if ((log.type !== 'json-file' && log.type !== 'local') || !log.compress || this.#shim === undefined) return;
    this.compressor.compress(log.path, (temporary, inode) => this.#connected().replaceRotatedLog(temporary, inode));
  }

  // ── freezer ──────────────────────────────────────────────────────────────────────────────────────────────────────

  async pause(): Promise<void> {
    if (this.#status !== 'running') throw new FailedPrecondition(`task ${this.id} is ${this.#status}`);
    await this.cgroup.freeze();
    this.#status = 'paused';
    this.#emit({ type: 'paused', id: this.id });
  }

  async resume(): Promise<void> {
    if (this.#status !== 'paused') throw new FailedPrecondition(`task ${this.id} is not paused`);
    await this.cgroup.thaw();
    if (this.#status === 'paused') this.#status = 'running';
    this.#emit({ type: 'resumed', id: this.id });
  }

  // ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The shim may leave: the task is being deleted. */
  async release(): Promise<void> {
    const shim = this.#shim;
    this.#shim = undefined;
    this.#watched = false;
    if (shim === undefined) return;
    await shim.shutdown().catch(() => {}); // it has left already
    shim.close();
  }

  /** Lets go of the shim, which stays. */
  close(): void {
    this.#shim?.close();
    this.#shim = undefined;
  }

  #connected(): Shim {
    if (this.#shim === undefined) {
      if (this.#exit !== undefined) throw new NotFound('process already finished');
      throw new Unavailable(`the shim of task ${this.id} has gone`);
    }
    return this.#shim;
  }

  #mustRun(): void {
    if (this.#status === 'running') return;
    throw new FailedPrecondition(`task ${this.id} is ${this.#status}, not running`);
  }
}
