// Asking other name servers.

import { randomInt } from 'node:crypto';
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { isIPv6, Socket } from 'node:net';
import { native } from '../../launcher/index.ts';
import { encodeAnswer, isAnswerTo, type Query, responseCode } from './message.ts';
import type { Forward } from './resolver.ts';

/** How servers are asked. */
export interface ForwarderOptions {
  /** Asked in this order; no more than three of them. */
  readonly servers: () => readonly string[];
  /** Namespace to ask from, throws when it is closed; ours when absent, so that a server on this machine's loopback is reached. */
  readonly netnsFd?: () => number;
  readonly timeoutMs?: number;
  readonly port?: number;
}

const mostServers = 3;
const mostQueries = 1024;
const defaultTimeoutMs = 4000;

/** Passes queries on, byte for byte but for the id, which is ours so that nobody can guess it. */
export function createForwarder(options: ForwarderOptions): Forward {
  let asking = 0;
  return async (query, bytes, transport) => {
    if (asking >= mostQueries) return encodeAnswer(query, responseCode.refused, [], 512);
    asking++;
    try {
      let last: Uint8Array | undefined;
      for (const server of options.servers().slice(0, mostServers)) {
        const answer = await ask(options, server, query, bytes, transport === 'tcp');
        if (answer === undefined) continue;
        last = answer;
        const code = (answer[3] ?? 0) & 0xf;
        if (code !== responseCode.serverFailure && code !== responseCode.refused) break;
      }
      return last;
    } finally {
      asking--;
    }
  };
}

async function ask(
  options: ForwarderOptions,
  server: string,
  query: Query,
  bytes: Uint8Array,
  tcp: boolean,
): Promise<Uint8Array | undefined> {
  const id = randomInt(0x10000);
  const own = withId(bytes, id);
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const answer = tcp
    ? await askTcp(options, server, own, timeoutMs)
    : await askUdp(options, server, own, timeoutMs, answer => isAnswerTo(answer, id, query));
  return answer !== undefined && isAnswerTo(answer, id, query) ? withId(answer, query.id) : undefined;
}

function withId(bytes: Uint8Array, id: number): Uint8Array {
  const out = Uint8Array.from(bytes);
  out[0] = id >> 8;
  out[1] = id & 0xff;
  return out;
}

const socketType = { stream: 1, datagram: 2 } as const;
const familyNumber = (server: string): number => (isIPv6(server) ? 10 : 2);

function udpSocket(options: ForwarderOptions, server: string): DatagramSocket {
  const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
  if (options.netnsFd !== undefined) {
    const any = isIPv6(server) ? '::' : '0.0.0.0';
    socket.bind({ fd: native().listenInNetns(options.netnsFd(), socketType.datagram, any, 0, 0) });
  }
  return socket;
}

/** Each question goes out from a port of its own. */
function askUdp(
  options: ForwarderOptions,
  server: string,
  bytes: Uint8Array,
  timeoutMs: number,
  accept: (answer: Uint8Array) => boolean,
): Promise<Uint8Array | undefined> {
  return new Promise(resolve => {
    let socket: DatagramSocket;
    try {
      socket = udpSocket(options, server);
    } catch {
      resolve(undefined); // the namespace has gone
      return;
    }
    const finish = (answer?: Uint8Array) => {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(finish, timeoutMs).unref();
    socket.on('error', () => finish());
    socket.on('message', (answer, from) => {
      if (from.address === server && accept(answer)) finish(answer);
    });
    // Connected, an answer of "port unreachable" ends the waiting at once.
    socket.connect(options.port ?? 53, server, () => socket.send(bytes, err => err && finish()));
  });
}

function askTcp(
  options: ForwarderOptions,
  server: string,
  bytes: Uint8Array,
  timeoutMs: number,
): Promise<Uint8Array | undefined> {
  return new Promise(resolve => {
    let socket: Socket;
    try {
      socket =
        options.netnsFd === undefined
          ? new Socket()
          : new Socket({ fd: native().socketInNetns(options.netnsFd(), familyNumber(server), socketType.stream, 0) });
    } catch {
      resolve(undefined);
      return;
    }
    const finish = (answer?: Uint8Array) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(finish, timeoutMs).unref();
    const frames = new Frames();
    socket.on('error', () => finish());
    socket.on('close', () => finish());
    socket.on('data', data => {
      const [answer] = frames.push(data);
      if (answer !== undefined) finish(answer);
    });
    socket.connect({ host: server, port: options.port ?? 53 }, () => socket.write(frame(bytes)));
  });
}

/** A message on a TCP stream has its length before it. */
export const frame = (bytes: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes]);

/** Cuts a TCP stream into messages. */
export class Frames {
  #rest: Buffer = Buffer.alloc(0);

  push(data: Uint8Array): Uint8Array[] {
    this.#rest = Buffer.concat([this.#rest, data]);
    const out: Uint8Array[] = [];
    while (this.#rest.length >= 2 && this.#rest.length >= 2 + this.#rest.readUInt16BE(0)) {
      const length = this.#rest.readUInt16BE(0);
      out.push(this.#rest.subarray(2, 2 + length));
      this.#rest = this.#rest.subarray(2 + length);
    }
    return out;
  }
}
