// An engine of a test's own: private data root, exec root, socket, bridge and addresses. Several live side by side, and when one is
// disposed of, nothing of it is left: that is checked, so every test that uses an engine is also a test for leaks.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, globSync, mkdtempSync, openSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { busyboxArchive } from './busybox.ts';
import { type CommandOptions, command, type Outcome } from './command.ts';

const root = join(import.meta.dirname, '../..');
let engines = 0;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export class Engine {
  readonly dir = mkdtempSync(join(tmpdir(), 'berth-test-'));
  readonly socket = join(this.dir, 'engine.sock');
  readonly bridge: string;
  readonly subnet: string;
  readonly log = join(this.dir, 'engine.log');
  #flags: readonly string[];
  #env: NodeJS.ProcessEnv;
  #daemon: ChildProcess | undefined;

  constructor(flags: readonly string[], env: NodeJS.ProcessEnv) {
    this.#flags = flags;
    this.#env = env;
    // A bridge and a /24 of its own for each engine of each test process.
    const number = (process.pid * 8 + engines++) % 8192;
    this.bridge = `bt${number}`;
    this.subnet = `10.${200 + (number >> 8)}.${number & 255}`;
  }

  /** Starts the daemon, on what an earlier one of the same engine left, and waits until it answers. */
  async start(env: NodeJS.ProcessEnv = {}): Promise<void> {
    const log = openSync(this.log, 'a');
    this.#daemon = spawn(
      join(root, 'bin/berthd'),
      [
        `--host=unix://${this.socket}`,
        `--data-root=${join(this.dir, 'data')}`,
        `--exec-root=${join(this.dir, 'exec')}`,
        `--pidfile=${join(this.dir, 'pid')}`,
        `--bridge=${this.bridge}`,
        `--bip=${this.subnet}.1/24`,
        ...this.#flags,
      ],
      { stdio: ['ignore', log, log], env: { ...process.env, ...this.#env, ...env } },
    );
    closeSync(log);
    for (let waited = 0; ; waited += 20) {
      const answered = await this.api('GET', '/_ping').then(
        a => a.status === 200,
        () => false,
      );
      if (answered) return;
      if (this.#daemon.exitCode !== null || this.#daemon.signalCode !== null || waited > 20_000) {
        throw new Error(`the daemon did not come up:\n${readFileSync(this.log, 'utf8').slice(-4000)}`);
      }
      await sleep(20);
    }
  }

  get pid(): number {
    return this.#daemon!.pid!;
  }

  /** Ends the daemon with `signal` and waits for its end; containers live on. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const ended = new Promise(resolve => daemon.once('exit', resolve));
    daemon.kill(signal);
    const late = setTimeout(() => daemon.kill('SIGKILL'), 15_000);
    await ended;
    clearTimeout(late);
  }

  /** The environment in which the docker CLI talks to this engine and knows no other. */
  get clientEnv(): NodeJS.ProcessEnv {
    const { DOCKER_CONTEXT, DOCKER_TLS_VERIFY, DOCKER_API_VERSION, ...env } = process.env;
    return {
      ...env,
      DOCKER_HOST: `unix://${this.socket}`,
      DOCKER_CONFIG: join(this.dir, 'cli'),
      DOCKER_CLI_HINTS: 'false',
    };
  }

  /** Runs the real docker CLI. */
  docker(...args: string[]): Promise<Outcome> {
    return this.dockerWith({}, ...args);
  }

  dockerWith(options: CommandOptions, ...args: string[]): Promise<Outcome> {
    return command('docker', args, { ...options, env: { ...this.clientEnv, ...options.env } });
  }

  /** The same, which must succeed; gives its output without the last line feed. */
  async ok(...args: string[]): Promise<string> {
    const outcome = await this.docker(...args);
    if (outcome.code !== 0)
      throw new Error(`docker ${args.join(' ')}: exit ${outcome.code}\n${outcome.stdout}${outcome.stderr}`);
    return outcome.stdout.replace(/\n$/, '');
  }

  /** One call of the API without a client in between. */
  api(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
      const call = request(
        {
          socketPath: this.socket,
          method,
          path,
          headers: {
            ...(text !== undefined && {
              'content-type': 'application/json',
              'content-length': Buffer.byteLength(text),
            }),
            ...headers,
          },
        },
        answer => {
          const chunks: Buffer[] = [];
          answer.on('data', chunk => chunks.push(chunk));
          answer.once('error', reject);
          answer.once('end', () =>
            resolve({ status: answer.statusCode!, headers: answer.headers, body: Buffer.concat(chunks).toString() }),
          );
        },
      );
      call.once('error', reject);
      call.end(text);
    });
  }

  /** Loads busybox:latest. */
  async loadBusybox(): Promise<void> {
    const archive = await busyboxArchive();
    if (archive === undefined) throw new Error('no static busybox on this machine (Debian: busybox-static)');
    await this.ok('load', '-q', '-i', archive);
  }

  /** What of this engine is on the machine: its containers' processes, mounts, devices, cgroups. Empty after a clean end. */
  leftovers(): string[] {
    const left: string[] = [];
    for (const proc of globSync('/proc/[0-9]*')) {
      try {
        const cmdline = readFileSync(`${proc}/cmdline`, 'utf8').replaceAll('\0', ' ');
        if (Number(proc.slice(6)) !== process.pid && cmdline.includes(this.dir))
          left.push(`process ${proc.slice(6)}: ${cmdline}`);
        else if (readlinkSync(`${proc}/cwd`).startsWith(this.dir))
          left.push(`process in ${this.dir}: ${proc.slice(6)} ${cmdline}`);
      } catch {
        // ended meanwhile, or a kernel thread
      }
    }
    for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
      if (line.includes(this.dir)) left.push(`mount: ${line}`);
    }
    if (existsSync(`/sys/class/net/${this.bridge}`)) left.push(`device: ${this.bridge}`);
    for (const id of this.#containers) {
      for (const cgroup of globSync(`/sys/fs/cgroup/{,*/}docker/${id}`)) left.push(`cgroup: ${cgroup}`);
    }
    return left;
  }

  #containers = new Set<string>();

  /** Removes all containers, ends the daemon, and fails when something is left; then that is taken away too, so that no later test meets it. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const listed = await this.api('GET', '/containers/json?all=1').catch(() => undefined);
      for (const { Id } of listed === undefined ? [] : (JSON.parse(listed.body) as { Id: string }[])) {
        this.#containers.add(Id);
        await this.api('DELETE', `/containers/${Id}?force=1&v=1`);
      }
      const networks = await this.api('GET', '/networks?filters={"type":["custom"]}').catch(() => undefined);
      for (const { Id } of networks === undefined ? [] : (JSON.parse(networks.body) as { Id: string }[])) {
        await this.api('DELETE', `/networks/${Id}`);
      }
      await this.stop();
      let left = this.leftovers();
      for (let i = 0; left.length > 0 && i < 50; i++) {
        await sleep(40);
        left = this.leftovers();
      }
      if (left.length > 0) {
        throw new Error(`the engine left behind:\n${left.join('\n')}\n${readFileSync(this.log, 'utf8').slice(-2000)}`);
      }
    } finally {
      await this.stop('SIGKILL');
      await this.#sweep();
      rmSync(this.dir, { recursive: true, force: true });
    }
  }

  /** Takes away what a failed test left: processes first. */
  async #sweep(): Promise<void> {
    for (const id of globSync('*', { cwd: join(this.dir, 'exec/tasks') })) {
      for (const proc of globSync('/proc/[0-9]*')) {
        try {
          if (!readFileSync(`${proc}/cmdline`, 'utf8').includes(id)) continue;
          const pid = proc.slice(6);
          const children = readFileSync(`${proc}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
          for (const process_ of [pid, ...children]) process.kill(Number(process_), 'SIGKILL');
        } catch {
          // ended meanwhile
        }
      }
    }
    if (existsSync(`/sys/class/net/${this.bridge}`)) await command('ip', ['link', 'del', this.bridge]).catch(() => {});
  }
}

export interface EngineOptions {
  readonly flags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Without busybox:latest in its store. */
  readonly empty?: boolean;
}

/** Starts an engine with busybox:latest loaded; `await using engine = await startEngine()`. */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const engine = new Engine(options.flags ?? [], options.env ?? {});
  try {
    await engine.start();
    if (!options.empty) await engine.loadBusybox();
    return engine;
  } catch (err) {
    await engine.stop('SIGKILL');
    rmSync(engine.dir, { recursive: true, force: true });
    throw err;
  }
}
