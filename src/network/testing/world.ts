// A small world for tests: this process in a network namespace of its own (the machine's is not touched), an outside, and
// containers that are a sleeping process each. All of it goes with the process.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { native } from '../../launcher/index.ts';
import { addAddress, addRoute, createLink, defaultRoute, setLink } from '../../netlink/index.ts';
import { openClient } from '../kernel.ts';
import type { NetnsPlan } from '../plan.ts';

const cloneNewNet = 0x40000000;

/** A namespace with servers and clients in it. */
export class Place implements Disposable {
  readonly fd: number;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  constructor(fd: number) {
    this.fd = fd;
  }

  /** A server that answers each connection with the address of its client, then echoes. */
  async serve(address: string, port: number): Promise<void> {
    const server = createServer(socket => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.write(`${socket.remoteAddress}\n`);
      socket.pipe(socket);
    });
    const fd = native().listenInNetns(this.fd, 1, address, port, 16);
    await new Promise<void>(resolve => server.listen({ fd }, resolve));
    this.#servers.push(server);
  }

  /** What a client here is told by a server: its own address as the server sees it; an errno or 'timeout' if there is none. */
  async call(address: string, port: number, timeoutMs = 700): Promise<string> {
    const family = address.includes(':') ? 10 : 2;
    const socket = new Socket({ fd: native().socketInNetns(this.fd, family, 1, 0) });
    return firstLine(socket.connect({ host: address, port }), timeoutMs);
  }

  [Symbol.dispose](): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
    closeSync(this.fd);
  }
}

export async function firstLine(socket: Socket, timeoutMs = 700): Promise<string> {
  try {
    return await new Promise<string>((resolve, reject) => {
      setTimeout(() => resolve('timeout'), timeoutMs).unref();
      socket.once('error', reject);
      socket.once('end', () => resolve('closed'));
      socket.once('data', data => resolve(data.toString().trim()));
    });
  } catch (err) {
    return (err as NodeJS.ErrnoException).code ?? String(err);
  } finally {
    socket.destroy();
  }
}

/** A namespace held by a process, as a container's is by its init. */
export class TestContainer extends Place {
  readonly pid: number;
  readonly #process: ChildProcess;

  private constructor(fd: number, process: ChildProcess) {
    super(fd);
    this.#process = process;
    this.pid = process.pid ?? 0;
  }

  static async start(plan: NetnsPlan): Promise<TestContainer> {
    const child = spawn('unshare', ['--net', 'sleep', '120'], { stdio: 'ignore' });
    const path = `/proc/${child.pid}/ns/net`;
    const own = readlinkSync('/proc/thread-self/ns/net');
    for (let i = 0; readlinkSync(path) === own; i++) {
      assert.ok(i < 500, 'the test container did not start');
      await sleep(2);
    }
    const container = new TestContainer(openSync(path, 'r'), child);
    container.run(plan);
    return container;
  }

  /** Does what the launcher does with a plan. */
  run(plan: NetnsPlan): void {
    using outside = openClient('route');
    using inside = openClient('route', this.fd);
    for (const { bytes, pidOffsets, comment } of plan.host) {
      const patched = Uint8Array.from(bytes);
      for (const offset of pidOffsets) new DataView(patched.buffer).setUint32(offset, this.pid, true);
      outside.send([parse(patched, comment)]);
    }
    inNamespace(this.fd, () => {
      for (const { path, value } of plan.sysctls) writeFileSync(path, value);
    });
    for (const { bytes, comment } of plan.inside) inside.send([parse(bytes, comment)]);
  }

  read(path: string): string {
    return inNamespace(this.fd, () => readFileSync(path, 'utf8'));
  }

  override [Symbol.dispose](): void {
    super[Symbol.dispose]();
    this.#process.kill('SIGKILL');
  }
}

/** A plan's bytes as a message again, so that the client can number it. */
function parse(bytes: Uint8Array, what: string) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { type: view.getUint16(4, true), flags: view.getUint16(6, true), body: bytes.subarray(16), what };
}

/** Calls with this thread in another namespace; nothing asynchronous may start in it. */
export function inNamespace<T>(fd: number, call: () => T): T {
  const home = openSync('/proc/thread-self/ns/net', 'r');
  native().setns(fd, cloneNewNet);
  try {
    return call();
  } finally {
    native().setns(home, cloneNewNet);
    closeSync(home);
  }
}

/** Puts this process into a fresh namespace and gives it an outside: 192.0.2.2 here, 192.0.2.1 there, both families. */
export function leaveTheMachine(): { outside: Place; here: Place } {
  native().unshare(cloneNewNet);
  const here = new Place(openSync('/proc/thread-self/ns/net', 'r'));
  const outside = new Place(native().newNetns());
  using client = openClient('route');
  using there = openClient('route', outside.fd);
  client.send([
    setLink({ index: 1, up: true }),
    createLink(
      { name: 'up0', index: 500, up: true },
      { kind: 'veth', peer: { name: 'out0', index: 501, namespace: { fd: outside.fd } } },
    ),
    addAddress({ index: 500, address: '192.0.2.2', prefixLength: 24 }),
    addAddress({ index: 500, address: '2001:db8::2', prefixLength: 64, flags: 2 }),
  ]);
  there.send([
    setLink({ index: 1, up: true }),
    setLink({ index: 501, up: true }),
    addAddress({ index: 501, address: '192.0.2.1', prefixLength: 24 }),
    addAddress({ index: 501, address: '2001:db8::1', prefixLength: 64, flags: 2 }),
  ]);
  client.send([addRoute(defaultRoute('192.0.2.1', 500))]);
  return { outside, here };
}

/** A call from this process. */
export const callFromHere = (address: string, port: number, timeoutMs?: number): Promise<string> =>
  firstLine(connect({ host: address, port }), timeoutMs);
