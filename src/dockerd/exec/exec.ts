// Additional processes in a running container (moby daemon/exec.go).

import type { ExecCreateRequest, ExecInspect } from '../../api/index.ts';
import { Conflict, InvalidArgument, isNotFound, NotFound } from '../../errdefs/index.ts';
import type { Process } from '../../oci/index.ts';
import type { AttachClient } from '../../shim/index.ts';
import type { Container } from '../container/container.ts';
import { newId } from '../container/id.ts';
import { environmentOf, replaceEnv } from '../container/merge.ts';
import { type ContainerServices, eventAttributes, layersOf } from '../container/services.ts';
import { userOf } from '../container/spec/build.ts';
import { capabilitySet } from '../container/spec/capabilities.ts';
import { parseSecurityOptions } from '../container/spec/security.ts';
import type { ResolvedUser } from '../container/spec/user.ts';

export interface Exec {
  readonly id: string;
  readonly container: Container;
  readonly request: ExecCreateRequest;
  /** Set at the start; a client may differ from what it said at the creation. */
  tty: boolean;
  started: boolean;
  running: boolean;
  pid: number;
  exitCode: number | null;
  /** Resolves with the exit code. */
  readonly ended: Promise<number>;
  readonly end: (exitCode: number) => void;
  /** Of a health check, which is not listed. */
  readonly hidden: boolean;
}

/** A finished exec may be asked about for this long. */
const keepMs = 10 * 60_000;

export class ExecStore {
  readonly #services: ContainerServices;
  readonly #execs = new Map<string, Exec>();

  constructor(services: ContainerServices) {
    this.#services = services;
  }

  find(id: string): Exec {
    const exec = this.#execs.get(id);
    if (exec === undefined) throw new NotFound(`No such exec instance: ${id}`);
    return exec;
  }

  /** POST /containers/{id}/exec. */
  create(container: Container, request: ExecCreateRequest, hidden = false, ref = container.id): Exec {
    checkRunning(container, ref);
    if (request.Cmd === null || request.Cmd.length === 0) throw new InvalidArgument('No exec command specified');
    const { promise, resolve } = Promise.withResolvers<number>();
    const exec: Exec = {
      id: newId(),
      container,
      request,
      tty: request.Tty,
      started: false,
      running: false,
      pid: 0,
      exitCode: null,
      ended: promise,
      end: resolve,
      hidden,
    };
    this.#execs.set(exec.id, exec);
    container.execIds.add(exec.id);
    this.#tell(exec, `exec_create: ${commandText(request.Cmd)}`);
    return exec;
  }

  /** Refuses an exec as a user that the image does not have. */
  async checkUser(container: Container, request: ExecCreateRequest): Promise<void> {
    await this.#user({ container, request });
  }

  /** Refuses a second start, and one in a container that has ended. */
  checkStart(exec: Exec): void {
    checkRunning(exec.container);
    if (exec.running) throw new Conflict(`Error: Exec command ${exec.id} is already running`);
    if (exec.started) throw new Conflict(`exec command ${exec.id} has already run`);
  }

  /** Starts it; `client` sees its first byte. On failure the exec has ended with 126 or 127, and the client is still the caller's. */
  async start(exec: Exec, client: AttachClient | undefined, consoleSize: readonly number[] | null): Promise<void> {
    const { container, request } = exec;
    this.checkStart(exec);
    exec.started = true;
    this.#tell(exec, `exec_start: ${commandText(request.Cmd!)}`);
    const { tasks } = this.#services;
    try {
      await tasks.exec(container.id, {
        execId: exec.id,
        process: await this.#process(exec, consoleSize),
        io: { terminal: exec.tty, stdin: request.AttachStdin && client !== undefined },
      });
      exec.running = true;
      const { pid } = await tasks.startExec(container.id, exec.id, client);
      exec.pid = pid;
    } catch (err) {
      this.onExit(exec.id, exitCodeOf(err));
      throw err;
    }
  }

  /** The task service says that it has ended. */
  onExit(execId: string, exitCode: number): void {
    const exec = this.#execs.get(execId);
    if (exec === undefined || exec.exitCode !== null) return;
    exec.running = false;
    exec.exitCode = exitCode;
    exec.container.execIds.delete(execId);
    exec.end(exitCode);
    this.#tell(exec, 'exec_die', { execID: execId, exitCode: String(exitCode) });
    void this.#services.tasks.deleteExec(exec.container.id, execId).catch(err => {
      if (!isNotFound(err)) this.#services.log.debug('could not forget an exec', { exec: execId, err });
    });
    setTimeout(() => this.#execs.delete(execId), exec.hidden ? 0 : keepMs).unref();
  }

  /** The container has ended, and all its execs with it. */
  onContainerExit(container: Container): void {
    for (const execId of [...container.execIds]) {
      const exec = this.#execs.get(execId);
      if (exec === undefined) continue;
      if (exec.running) this.onExit(execId, 137);
      else {
        container.execIds.delete(execId);
        if (!exec.started) this.#execs.delete(execId);
      }
    }
  }

  inspect(exec: Exec): ExecInspect {
    const { request } = exec;
    const [entrypoint = '', ...args] = request.Cmd ?? [];
    return {
      ID: exec.id,
      Running: exec.running,
      ExitCode: exec.exitCode,
      ProcessConfig: {
        tty: exec.tty,
        entrypoint,
        arguments: args,
        privileged: request.Privileged,
        ...(request.User !== '' && { user: request.User }),
      },
      OpenStdin: request.AttachStdin,
      OpenStderr: request.AttachStderr,
      OpenStdout: request.AttachStdout,
      // Docker's sweep sets it, shortly before the exec is gone.
      CanRemove: false,
      ContainerID: exec.container.id,
      DetachKeys: '',
      Pid: exec.pid,
    };
  }

  #tell(exec: Exec, action: string, more: Readonly<Record<string, string>> = {}): void {
    const attributes = eventAttributes(exec.container, { execID: exec.id, ...more });
    this.#services.events.publish('container', action, exec.container.id, attributes);
  }

  async #user({ container, request }: Pick<Exec, 'container' | 'request'>): Promise<ResolvedUser> {
    const { config, hostConfig } = container.record;
    return userOf(
      layersOf(await this.#services.snapshotter.mounts(container.id)),
      request.User === '' ? config.User : request.User,
      hostConfig.GroupAdd ?? [],
    );
  }

  async #process({ container, request, tty }: Exec, consoleSize: readonly number[] | null): Promise<Process> {
    const { config, hostConfig } = container.record;
    const user = await this.#user({ container, request });
    const host = this.#services.facts.capabilities;
    const capabilities = capabilitySet({
      add: hostConfig.CapAdd ?? [],
      drop: hostConfig.CapDrop ?? [],
      privileged: request.Privileged || hostConfig.Privileged,
      host,
    });
    const [height = 0, width = 0] = consoleSize ?? request.ConsoleSize ?? [];
    const env = environmentOf({ ...config, Tty: tty }, config.Hostname, user.home);
    const security = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
    return {
      ...(tty && { terminal: true, ...(height > 0 && width > 0 && { consoleSize: { height, width } }) }),
      user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
      args: request.Cmd ?? [],
      env: replaceEnv(env, request.Env ?? []),
      cwd: request.WorkingDir !== '' ? request.WorkingDir : config.WorkingDir !== '' ? config.WorkingDir : '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      ...((security.noNewPrivileges ?? this.#services.config.noNewPrivileges) && { noNewPrivileges: true }),
      oomScoreAdj: hostConfig.OomScoreAdj,
    };
  }
}

/** As Docker's events have it: the program and its arguments, with a space behind the program in any case. */
const commandText = ([program = '', ...args]: readonly string[]): string => `${program} ${args.join(' ')}`;

function checkRunning(container: Container, ref = container.id): void {
  const { state, id } = container;
  if (!state.running) throw new Conflict(`container ${id} is not running`);
  if (state.paused) throw new Conflict(`Container ${ref} is paused, unpause the container before exec`);
  if (state.restarting) throw new Conflict(`Container ${id} is restarting, wait until the container is running`);
}

/** 127 where the command is not there, 126 where it may not be run. */
function exitCodeOf(err: unknown): number {
  const message = err instanceof Error ? err.message : '';
  if (/executable file not found|no such file or directory|not a directory/.test(message)) return 127;
  return 126;
}
