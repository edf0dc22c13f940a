// Shims around plain processes of the host, for tests: no namespaces, no cgroups, only what a shim does itself.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { native, type Op, type Program } from '../../launcher/index.ts';
import { type StartShimOptions, startShim } from '../native-shim.ts';
import type { AttachClient, ExitStatus, Shim, ShimEvent } from '../shim.ts';

export interface ProgramOptions {
  readonly terminal?: boolean;
  readonly stdin?: boolean;
  /** With `ready`: for a container; without: for an exec. */
  readonly ready?: boolean;
  /** Default: sh -c script. */
  readonly command?: readonly [string, ...string[]];
}

const stdinRead = 1;
const stdinWrite = 2;
const stdoutRead = 3;
const stdoutWrite = 4;
const stderrRead = 5;
const stderrWrite = 6;
const master = 7;
const slave = 8;

/** Runs a shell script with streams as a container's. */
export function scriptProgram(script: string, options: ProgramOptions = {}): Program {
  const { terminal = false, stdin = false, ready = true, command = ['/bin/sh', '-c', script] } = options;
  const size = 1 << 20;
  const before: Op[] = terminal
    ? [{ op: 'openPty', path: '/dev/ptmx', master, slave, rows: 24, columns: 80, uid: 0 }]
    : [
        ...(stdin ? [{ op: 'pipe', read: stdinRead, write: stdinWrite, size } as const] : []),
        { op: 'pipe', read: stdoutRead, write: stdoutWrite, size },
        { op: 'pipe', read: stderrRead, write: stderrWrite, size },
      ];
  const streams: Op[] = terminal
    ? [
        { op: 'setsid' },
        { op: 'controllingTty', slot: slave },
        ...[0, 1, 2].map(fd => ({ op: 'dup', slot: slave, fd }) as const),
      ]
    : [
        ...(stdin ? [{ op: 'dup', slot: stdinRead, fd: 0 } as const] : []),
        { op: 'dup', slot: stdoutWrite, fd: 1 },
        { op: 'dup', slot: stderrWrite, fd: 2 },
      ];
  const child: Op[] = [
    ...streams,
    { op: 'await', peer: 'parent' },
    { op: 'closeOnExecFrom', fd: 3 },
    { op: 'exec', candidates: [command[0]], args: command, env: ['PATH=/usr/bin:/bin', 'TERM=dumb'] },
  ];
  const closing = terminal ? [slave] : [...(stdin ? [stdinRead] : []), stdoutWrite, stderrWrite];
  return [
    ...before,
    { op: 'clone', flags: 0, program: child },
    ...closing.map(slot => ({ op: 'close', slot }) as const),
    terminal
      ? { op: 'stdio', terminal: master }
      : { op: 'stdio', stdout: stdoutRead, stderr: stderrRead, ...(stdin && { stdin: stdinWrite }) },
    ...(ready ? [{ op: 'ready' } as const] : []),
    { op: 'notify', peer: 'child' },
    { op: 'await', peer: 'exec' },
  ];
}

/** A shim with its directory, ended and removed with the test. */
export class TestShim implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'berth-shim-'));
  readonly log = join(this.directory, 'x.log');
  readonly events: ShimEvent[] = [];
  readonly cleanup: (() => void)[] = [];
  options!: Partial<StartShimOptions>;
  shim!: Shim;
  readonly #exits = new Map<number, PromiseWithResolvers<ExitStatus>>();

  static async create(
    program: Program,
    options: Partial<Omit<StartShimOptions, 'program' | 'directory' | 'onEvent'>> = {},
  ): Promise<TestShim> {
    const test = new TestShim();
    test.options = options;
    test.shim = await startShim({
      id: 'test',
      program,
      directory: test.directory,
      io: { terminal: false, stdin: false, stdinOnce: true },
      log: { type: 'json-file', path: test.log },
      ...options,
      onEvent: event => test.onEvent(event),
    });
    return test;
  }

  readonly onEvent = (event: ShimEvent): void => {
    this.events.push(event);
    if (event.kind === 'exit') this.#exit(event.number).resolve(event.status);
  };

  exited(number = 0): Promise<ExitStatus> {
    return this.#exit(number).promise;
  }

  /** The text that the log holds, by stream. */
  logged(stream?: 'stdout' | 'stderr'): string {
    return readFileSync(this.log, 'utf8')
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as { log: string; stream: string })
      .filter(line => stream === undefined || line.stream === stream)
      .map(line => line.log)
      .join('');
  }

  #exit(number: number): PromiseWithResolvers<ExitStatus> {
    const known = this.#exits.get(number);
    if (known !== undefined) return known;
    const made = Promise.withResolvers<ExitStatus>();
    this.#exits.set(number, made);
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shim.kill(0, 9).catch(() => {});
    for (let tries = 0; tries < 100; tries++) {
      const left = await this.shim.shutdown().then(
        () => true,
        error => (error as { code?: string }).code !== 'FailedPrecondition',
      );
      if (left) break;
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    this.shim.close();
    rmSync(this.directory, { recursive: true, force: true });
    for (const clean of this.cleanup) clean();
  }
}

/** A connected pair: the client's end in Node, the other as a descriptor to hand over. */
export async function clientPair(): Promise<{ client: Socket; fd: number }> {
  const [ours, theirs] = native().socketpair(1);
  const { Socket: NodeSocket } = await import('node:net');
  const client = new NodeSocket({ fd: ours, readable: true, writable: true, allowHalfOpen: true });
  client.on('error', () => {});
  return { client, fd: theirs };
}

/** As clientPair, over TCP. */
export async function tcpPair(): Promise<{ client: Socket; fd: number; close: () => void }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>(resolve => server.once('connection', resolve));
  const { port } = server.address() as { port: number };
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  client.on('error', () => {});
  const socket = await accepted;
  server.close();
  const fd = (socket as unknown as { _handle: { fd: number } })._handle.fd;
  return { client, fd, close: () => socket.destroy() };
}

export const watching: Omit<AttachClient, 'fd'> = { stdin: false, stdout: true, stderr: true, framed: false };

/** Attaches a fresh client and closes our copy of its descriptor. */
export async function attachClient(test: TestShim, options: Partial<AttachClient> = {}, number = 0): Promise<Socket> {
  const { client, fd } = await clientPair();
  try {
    await test.shim.attach(number, { ...watching, fd, ...options });
  } finally {
    native().close(fd);
  }
  return client;
}

/** Everything until the other side's end. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  socket.destroy();
  return Buffer.concat(chunks);
}

/** Docker's multiplexed stream taken apart. */
export function unframe(bytes: Buffer): { stdout: string; stderr: string } {
  const texts = ['', '', ''];
  for (let at = 0; at < bytes.length; ) {
    const stream = bytes[at]!;
    const size = bytes.readUInt32BE(at + 4);
    texts[stream] += bytes.toString('latin1', at + 8, at + 8 + size);
    at += 8 + size;
  }
  return { stdout: texts[1]!, stderr: texts[2]! };
}
