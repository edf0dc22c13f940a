// Health checks (moby daemon/health.go): a command in the container, one at a time, its result in the state.

import net from 'node:net';
import type { ContainerConfig, Health, HealthResult } from '../../api/index.ts';
import { native } from '../../launcher/index.ts';
import { formatNs, nowNs } from '../clock.ts';
import type { Exec, ExecStore } from '../exec/exec.ts';
import type { Container } from './container.ts';
import { type ContainerServices, eventAttributes } from './services.ts';
import { sigkill } from './signals.ts';

const keptResults = 5;
const maxOutputBytes = 4096;
/** How long a probe's exec may take to come up; it is not charged to its time-out. */
const startMs = 30_000;

/** What a probe is and when it runs, in milliseconds. */
export interface HealthPlan {
  readonly command: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
  readonly retries: number;
}

/** The plan of a configuration; undefined where there are no checks. */
export function healthPlan(config: ContainerConfig): HealthPlan | undefined {
  const check = config.Healthcheck;
  const [kind, ...words] = check?.Test ?? [];
  if (check === undefined || kind === undefined || kind === 'NONE') return undefined;
  const shell =
    config.Shell !== undefined && config.Shell !== null && config.Shell.length > 0 ? config.Shell : ['/bin/sh', '-c'];
  const command = kind === 'CMD' ? words : kind === 'CMD-SHELL' ? [...shell, ...words] : [kind, ...words];
  const ms = (ns: number | undefined, otherwise: number): number =>
    ns === undefined || ns === 0 ? otherwise : ns / 1e6;
  return {
    command,
    intervalMs: ms(check.Interval, 30_000),
    timeoutMs: ms(check.Timeout, 30_000),
    startPeriodMs: ms(check.StartPeriod, 0),
    startIntervalMs: ms(check.StartInterval, 5_000),
    retries: check.Retries === undefined || check.Retries === 0 ? 3 : check.Retries,
  };
}

/** The health after one more result. */
export function nextHealth(health: Health, result: HealthResult, retries: number, inStartPeriod: boolean): Health {
  const log = [...(health.Log ?? []), result].slice(-keptResults);
  if (result.ExitCode === 0) return { Status: 'healthy', FailingStreak: 0, Log: log };
  // Failures while it is starting do not count, until it has been healthy once.
  if (inStartPeriod && health.Status === 'starting') return { ...health, Log: log };
  const streak = health.FailingStreak + 1;
  return { Status: streak >= retries ? 'unhealthy' : health.Status, FailingStreak: streak, Log: log };
}

/** Begins the checks of this run. */
export function startHealthChecks(services: ContainerServices, container: Container): void {
  container.stopHealthChecks?.();
  container.stopHealthChecks = undefined;
  const plan = healthPlan(container.record.config);
  if (plan === undefined) return;
  container.state.health = { Status: 'starting', FailingStreak: 0, Log: [] };
  const stop = new AbortController();
  container.stopHealthChecks = () => stop.abort();
  void runChecks(services, container, plan, stop.signal);
}

/** Goes on with the checks of a container that ran before this daemon. */
export function resumeHealthChecks(services: ContainerServices, container: Container): void {
  const before = container.state.health;
  startHealthChecks(services, container);
  if (before !== undefined && container.state.health !== undefined) container.state.health = before;
}

async function runChecks(
  services: ContainerServices,
  container: Container,
  plan: HealthPlan,
  signal: AbortSignal,
): Promise<void> {
  const begun = performance.now();
  while (!signal.aborted) {
    const inStartPeriod = performance.now() - begun < plan.startPeriodMs;
    const starting = inStartPeriod && container.state.health?.Status === 'starting';
    await pause(starting ? plan.startIntervalMs : plan.intervalMs, signal);
    if (signal.aborted) return;
    if (container.state.paused || !container.state.running) continue;
    const result = await probe(services, container, plan, signal);
    if (signal.aborted || container.state.health === undefined) return;
    const before = container.state.health;
    const after = nextHealth(before, result, plan.retries, performance.now() - begun < plan.startPeriodMs);
    container.state.health = after;
    // The log of results is not worth a row each time; the status is.
    if (before.Status === after.Status) continue;
    services.store.save(container);
    services.events.publish('container', `health_status: ${after.Status}`, container.id, eventAttributes(container));
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

async function probe(
  services: ContainerServices,
  container: Container,
  plan: HealthPlan,
  signal: AbortSignal,
): Promise<HealthResult> {
  const begun = formatNs(nowNs());
  const result = (ExitCode: number, Output: string): HealthResult => ({
    Start: begun,
    End: formatNs(nowNs()),
    ExitCode,
    Output,
  });
  const [ours, theirs] = native().socketpair(1);
  const output = new Output(ours);
  let exec: Exec;
  try {
    exec = services.execs().create(container, probeRequest(plan.command), true);
    const client = { fd: theirs, stdin: false, stdout: true, stderr: true, framed: false };
    await Promise.race([
      services.execs().start(exec, client, null),
      pause(startMs, signal).then(() => Promise.reject(new Error('timed out'))),
    ]);
  } catch (err) {
    output.close();
    return result(
      -1,
      `OCI runtime exec failed: ${(err as Error).message}`.replace(
        /^(OCI runtime exec failed: )+/,
        'OCI runtime exec failed: ',
      ),
    );
  } finally {
    native().close(theirs);
  }
  const timer = new AbortController();
  const code = await Promise.race([exec.ended, pause(plan.timeoutMs, timer.signal).then(() => undefined)]);
  timer.abort();
  if (code !== undefined) {
    const text = await output.text();
    return result(code, text);
  }
  await services.tasks.kill(container.id, sigkill, { execId: exec.id }).catch(() => {});
  const text = output.soFar();
  output.close();
  const seconds = goDuration(plan.timeoutMs);
  return result(-1, `Health check exceeded timeout (${seconds})${text === '' ? '' : `: ${text}`}`);
}

const goDuration = (ms: number): string =>
  ms < 1000 ? `${ms}ms` : ms % 60_000 === 0 ? `${ms / 60_000}m0s` : `${ms / 1000}s`;

const probeRequest = (command: readonly string[]): Parameters<ExecStore['create']>[1] => ({
  User: '',
  Privileged: false,
  Tty: false,
  ConsoleSize: null,
  AttachStdin: false,
  AttachStderr: true,
  AttachStdout: true,
  DetachKeys: '',
  Env: null,
  WorkingDir: '',
  Cmd: command,
});

/** What a probe says, as far as it is kept. */
class Output {
  readonly #socket: net.Socket;
  readonly #chunks: Buffer[] = [];
  readonly #ended: Promise<void>;
  #size = 0;

  constructor(fd: number) {
    this.#socket = new net.Socket({ fd, readable: true, writable: false });
    this.#socket.on('data', (chunk: Buffer) => {
      if (this.#size < maxOutputBytes) this.#chunks.push(chunk.subarray(0, maxOutputBytes - this.#size));
      this.#size += chunk.length;
    });
    this.#ended = new Promise(resolve => {
      this.#socket.once('close', () => resolve());
      this.#socket.once('end', () => resolve());
      this.#socket.on('error', () => resolve());
    });
  }

  soFar(): string {
    const text = Buffer.concat(this.#chunks).toString('utf8');
    return this.#size > maxOutputBytes ? `${text}...` : text;
  }

  async text(): Promise<string> {
    await Promise.race([this.#ended, new Promise(resolve => setTimeout(resolve, 1000).unref())]);
    this.close();
    return this.soFar();
  }

  close(): void {
    this.#socket.destroy();
  }
}
