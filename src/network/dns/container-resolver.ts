import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { closeSync, openSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { native } from '../../launcher/index.ts';
import { internalResolver, type ResolverOverrides } from '../files/resolv-conf.ts';
import { openClient } from '../kernel.ts';
import { createForwarder, Frames, frame } from './forwarder.ts';
import { redirectNameService } from './redirect.ts';
import { type ResolverContext, resolve } from './resolver.ts';

/** Where names are looked up that nobody here has. */
export interface Upstream {
  /** `--dns`: asked from within the container. */
  readonly overrides: ResolverOverrides;
  /** The host's resolvers, asked from the host; none for a container without a way out. */
  readonly hostServers: () => readonly string[];
  /** Ask those of `--dns` from the host as well. */
  readonly fromHost?: boolean;
}

const idleMs = 10_000;
const mostConnections = 100;

/**
 * The name service at 127.0.0.11 of one container: sockets in its network namespace, read by this process. They keep the
 * namespace alive, so it must be closed when the container has ended.
 */
export class ContainerResolver implements Disposable {
  readonly #netns: number;
  readonly #context: ResolverContext;
  readonly #udp: DatagramSocket;
  readonly #tcp: Server;
  readonly #connections = new Set<Socket>();

  constructor(pid: number, upstream: Upstream, context: Omit<ResolverContext, 'forward' | 'ndots'>) {
    this.#netns = openSync(`/proc/${pid}/ns/net`, 'r');
    try {
      const named = upstream.overrides.nameservers ?? [];
      const forward = createForwarder(
        named.length > 0
          ? { servers: () => named, ...(upstream.fromHost !== true && { netnsFd: this.#netns }) }
          : { servers: upstream.hostServers },
      );
      const ndots = ndotsOf(upstream.overrides.options ?? []);
      this.#context = { ...context, forward, ...(ndots !== undefined && { ndots }) };
      const udp = native().listenInNetns(this.#netns, 2, internalResolver, 0, 0);
      this.#udp = createSocket('udp4').bind({ fd: udp });
      const tcp = native().listenInNetns(this.#netns, 1, internalResolver, 0, 64);
      this.#tcp = createServer(socket => this.#serve(socket)).listen({ fd: tcp });
      this.#udp.on('message', (bytes, from) => void this.#answerUdp(bytes, from));
      this.#udp.on('error', () => {});
      this.#tcp.on('error', () => {});
      this.#udp.unref();
      this.#tcp.unref();
      using client = openClient('netfilter', this.#netns);
      redirectNameService(client, { udp: this.#udp.address().port, tcp: portOf(this.#tcp) });
    } catch (err) {
      closeSync(this.#netns);
      throw err;
    }
  }

  async #answerUdp(bytes: Uint8Array, from: { address: string; port: number }): Promise<void> {
    const answer = await resolve(this.#context, bytes, 'udp');
    if (answer === undefined) return;
    try {
      this.#udp.send(answer, from.port, from.address, () => {});
    } catch {
      // closed meanwhile
    }
  }

  #serve(socket: Socket): void {
    if (this.#connections.size >= mostConnections) {
      socket.destroy();
      return;
    }
    this.#connections.add(socket);
    const frames = new Frames();
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('data', data => {
      for (const bytes of frames.push(data)) void this.#answerTcp(socket, bytes);
    });
  }

  async #answerTcp(socket: Socket, bytes: Uint8Array): Promise<void> {
    const answer = await resolve(this.#context, bytes, 'tcp');
    if (answer === undefined || socket.destroyed) socket.destroy();
    else socket.write(frame(answer));
  }

  [Symbol.dispose](): void {
    this.#udp.close();
    this.#tcp.close();
    for (const socket of this.#connections) socket.destroy();
    closeSync(this.#netns);
  }
}

function portOf(server: Server): number {
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

function ndotsOf(options: readonly string[]): number | undefined {
  const value = options.map(option => /^ndots:(\d+)$/.exec(option)?.[1]).find(found => found !== undefined);
  return value === undefined ? undefined : Number(value);
}
