// A gRPC server on a socket that has left HTTP/1: /grpc of the Engine API, and the stream of Control.Session.

import {
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { codeOf, describe, grpcCode, NotImplemented } from '../../../errdefs/index.ts';
import { decode, encode, type Fields, type Message, type MessageOf, type Partially } from '../proto/wire.ts';
import { frame, messages } from './framing.ts';

/** One call as its handler sees it. */
export interface Call<Request> {
  readonly metadata: IncomingHttpHeaders;
  /** Aborts when the client gives up or goes away. */
  readonly signal: AbortSignal;
  readonly requests: AsyncIterable<Request>;
}

/** A method: what it takes and gives, and what it does. It yields its answers; a unary one yields one. */
export interface Method {
  readonly handle: (
    metadata: IncomingHttpHeaders,
    signal: AbortSignal,
    requests: AsyncIterable<Buffer>,
  ) => AsyncIterable<Buffer>;
}

/** Many requests, many answers. */
export function streaming<In extends Fields, Out extends Fields>(
  request: Message<In>,
  response: Message<Out>,
  handle: (call: Call<MessageOf<Message<In>>>) => AsyncIterable<Partially<MessageOf<Message<Out>>>>,
): Method {
  return {
    async *handle(metadata, signal, raw) {
      const requests = (async function* () {
        for await (const message of raw) yield decode(request, message);
      })();
      for await (const answer of handle({ metadata, signal, requests })) yield encode(response, answer);
    },
  };
}

/** One request, one answer. */
export function unary<In extends Fields, Out extends Fields>(
  request: Message<In>,
  response: Message<Out>,
  handle: (
    request: MessageOf<Message<In>>,
    call: Call<never>,
  ) => Promise<Partially<MessageOf<Message<Out>>>> | Partially<MessageOf<Message<Out>>>,
): Method {
  return streaming(request, response, async function* ({ requests, ...call }) {
    for await (const message of requests) {
      yield await handle(message, { ...call, requests: none() });
      return;
    }
    throw new NotImplemented('call without a request');
  });
}

/** One request, many answers. */
export function serverStreaming<In extends Fields, Out extends Fields>(
  request: Message<In>,
  response: Message<Out>,
  handle: (request: MessageOf<Message<In>>, call: Call<never>) => AsyncIterable<Partially<MessageOf<Message<Out>>>>,
): Method {
  return streaming(request, response, async function* ({ requests, ...call }) {
    for await (const message of requests) {
      yield* handle(message, { ...call, requests: none() });
      return;
    }
  });
}

async function* none(): AsyncGenerator<never> {}

/** Methods by path: `/moby.buildkit.v1.Control/Solve`. */
export type Services = Readonly<Record<string, Method>>;

/** Serves `services` on `socket` until it closes; resolves then. Bytes already read are put back with socket.unshift first. */
export function serveGrpc(socket: Duplex, services: Services, log: (line: string) => void): Promise<void> {
  const session = performServerHandshake(socket, {
    settings: { initialWindowSize: 1 << 20, maxConcurrentStreams: 1000 },
  });
  session.setLocalWindowSize(8 << 20);
  session.on('stream', (stream, headers) => {
    serveCall(stream, headers, services, log).catch(err => log(`grpc ${headers[':path']}: ${describe(err)}`));
  });
  return closed(session, socket);
}

function closed(session: ServerHttp2Session, socket: Duplex): Promise<void> {
  return new Promise(resolve => {
    session.on('error', () => session.destroy());
    session.once('close', resolve);
    socket.once('close', () => session.destroy());
  });
}

async function serveCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  services: Services,
  log: (line: string) => void,
): Promise<void> {
  const path = String(headers[':path']);
  const abort = new AbortController();
  stream.on('error', err => abort.abort(err));
  stream.once('close', () => abort.abort(new Error('the client ended the call')));
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  let trailers: Record<string, string> = { 'grpc-status': '0' };
  stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  try {
    const method = services[path];
    if (method === undefined) throw new NotImplemented(`unknown method ${path}`);
    // Who has read all that it needs has not ended the call.
    const incoming = stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
    for await (const answer of method.handle(headers, abort.signal, messages(incoming))) {
      if (!stream.write(frame(answer))) await drained(stream, abort.signal);
    }
  } catch (err) {
    trailers = trailersOf(err);
    if (codeOf(err) === 'Internal') log(`grpc ${path}: ${(err as Error).stack}`);
  }
  if (!stream.destroyed) stream.end();
}

/** An error that says itself what of it crosses the wire: a google.rpc.Status. */
export interface DetailedError extends Error {
  readonly status: { readonly code: number; readonly message: string; readonly encoded: Buffer };
}

function trailersOf(err: unknown): Record<string, string> {
  const { status } = err as Partial<DetailedError>;
  const message = status?.message ?? describe(err);
  return {
    'grpc-status': String(status?.code ?? grpcCode[codeOf(err)]),
    'grpc-message': encodeURIComponent(message).replaceAll('%20', ' '),
    ...(status !== undefined && { 'grpc-status-details-bin': status.encoded.toString('base64') }),
  };
}

function drained(stream: ServerHttp2Stream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      signal.removeEventListener('abort', failed);
      resolve();
    };
    const failed = (): void => {
      stream.off('drain', done);
      reject(signal.reason);
    };
    stream.once('drain', done);
    signal.addEventListener('abort', failed, { once: true });
  });
}
