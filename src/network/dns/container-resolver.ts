import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { closeSync, openSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { Unavailable } from '../../errdefs/index.ts';
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
  readonly #held = new DisposableStack();
  readonly #context: ResolverContext;
  readonly #udp: DatagramSocket;
  readonly #connections = new Set<Socket>();

  constructor(pid: number, upstream: Upstream, context: Omit<ResolverContext, 'forward' | 'ndots'>) {
    using held = new DisposableStack();
    const netns = held.adopt(openSync(`/proc/${pid}/ns/net`, 'r'), closeSync);
    const named = upstream.overrides.nameservers ?? [];
    const forward = createForwarder(
      named.length > 0
        ? { servers: () => named, ...(upstream.fromHost !== true && { netnsFd: () => this.#open(netns) }) }
        : { servers: upstream.hostServers },
    );
    const ndots = ndotsOf(upstream.overrides.options ?? []);
    this.#context = { ...context, forward, ...(ndots !== undefined && { ndots }) };
    const datagrams = native().listenInNetns(netns, 2, internalResolver, 0, 0);
    const udp = held.adopt(createSocket('udp4').bind({ fd: datagrams }), socket => socket.close());
    const streams = native().listenInNetns(netns, 1, internalResolver, 0, 64);
    const tcp = held.adopt(createServer(socket => this.#serve(socket)).listen({ fd: streams }), server =>
      server.close(),
    );
    udp.on('message', (bytes, from) => void this.#answerUdp(bytes, from));
    udp.on('error', () => {});
    tcp.on('error', () => {});
    udp.unref();
    tcp.unref();
    this.#udp = udp;
    using client = openClient('netfilter', netns);
    redirectNameService(client, { udp: udp.address().port, tcp: portOf(tcp) });
    this.#held.use(held.move());
  }

  /** The namespace's descriptor; its number may be another file's after the end. */
  #open(netns: number): number {
    if (this.#held.disposed) throw new Unavailable('the name service of the container has ended');
    return netns;
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
    this.#held.dispose();
    for (const socket of this.#connections) socket.destroy();
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
