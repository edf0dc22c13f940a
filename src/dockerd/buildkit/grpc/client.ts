// A gRPC client on a socket that has left HTTP/1: in a session the daemon calls the client's services.

import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2';
import type { Duplex } from 'node:stream';
import { EngineError, type ErrorCode, grpcCode, Unavailable } from '../../../errdefs/index.ts';
import { decode, encode, type Fields, type Message, type MessageOf, type Partially } from '../proto/wire.ts';
import { frame, messages } from './framing.ts';

export class GrpcClient implements Disposable {
  readonly #session: ClientHttp2Session;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;

  constructor(socket: Duplex) {
    this.#session = connect('http://session', {
      createConnection: () => socket,
      settings: { initialWindowSize: 1 << 20 },
    });
    this.#session.on('connect', () => this.#session.setLocalWindowSize(8 << 20));
    this.#session.on('error', () => {});
    this.closed = new Promise(resolve => this.#session.once('close', resolve));
  }

  /** Opens a call; `metadata` values may be lists. */
  stream<In extends Fields, Out extends Fields>(
    path: string,
    request: Message<In>,
    response: Message<Out>,
    metadata: Readonly<Record<string, string | readonly string[]>>,
    signal: AbortSignal,
  ): GrpcStream<MessageOf<Message<In>>, MessageOf<Message<Out>>> {
    signal.throwIfAborted();
    if (this.#session.destroyed) throw new Unavailable("the client's session is gone");
    const headers: OutgoingHttpHeaders = {
      ':method': 'POST',
      ':path': path,
      ':scheme': 'http',
      ':authority': 'localhost',
      te: 'trailers',
      'content-type': 'application/grpc',
      'user-agent': 'berth',
      ...metadata,
    };
    const stream = this.#session.request(headers, { signal });
    return new GrpcStream(
      stream,
      path,
      value => encode(request, value as never),
      data => decode(response, data),
    );
  }

  /** One request, one answer. */
  async call<In extends Fields, Out extends Fields>(
    path: string,
    request: Message<In>,
    response: Message<Out>,
    value: Partially<MessageOf<Message<In>>>,
    signal: AbortSignal,
  ): Promise<MessageOf<Message<Out>>> {
    const stream = this.stream(path, request, response, {}, signal);
    await stream.send(value as never);
    stream.end();
    let first: MessageOf<Message<Out>> | undefined;
    for await (const answer of stream.answers()) first ??= answer;
    if (first !== undefined) return first;
    throw new Unavailable(`${path}: no answer`);
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
  }
}

export class GrpcStream<In, Out> {
  readonly #stream: ClientHttp2Stream;
  readonly #path: string;
  readonly #encode: (value: Partially<In>) => Buffer;
  readonly #decode: (data: Uint8Array) => Out;
  readonly #ended: Promise<void>;

  constructor(
    stream: ClientHttp2Stream,
    path: string,
    encodeMessage: (value: Partially<In>) => Buffer,
    decodeMessage: (data: Uint8Array) => Out,
  ) {
    this.#stream = stream;
    this.#path = path;
    this.#encode = encodeMessage;
    this.#decode = decodeMessage;
    this.#ended = new Promise((resolve, reject) => {
      let status: string | undefined;
      let text = '';
      const take = (headers: Record<string, unknown>): void => {
        if (headers['grpc-status'] === undefined) return;
        status = String(headers['grpc-status']);
        text = decodeURIComponent(String(headers['grpc-message'] ?? ''));
      };
      stream.on('response', take);
      stream.on('trailers', take);
      stream.on('error', err => reject(new Unavailable(`${path}: ${err.message}`, { cause: err })));
      stream.once('close', () => {
        if (status === '0') resolve();
        else if (status === undefined) reject(new Unavailable(`${path}: the client went away`));
        else reject(new EngineError(codeOfGrpc(Number(status)), text === '' ? `${path}: gRPC status ${status}` : text));
      });
    });
    this.#ended.catch(() => {});
  }

  /** Resolves when more may be sent. */
  async send(value: Partially<In>): Promise<void> {
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    if (this.#stream.write(frame(this.#encode(value)))) return;
    await new Promise<void>(resolve => {
      this.#stream.once('drain', resolve);
      this.#stream.once('close', resolve);
    });
  }

  end(): void {
    this.#stream.end();
  }

  /** The answers, then the call's error if it failed. */
  async *answers(): AsyncGenerator<Out> {
    for await (const message of messages(this.#stream)) yield this.#decode(message);
    await this.#ended;
  }

  cancel(): void {
    this.#stream.close();
  }

  get path(): string {
    return this.#path;
  }
}

function codeOfGrpc(status: number): ErrorCode {
  const found = (Object.entries(grpcCode) as [ErrorCode, number][]).find(([, code]) => code === status);
  return found?.[0] ?? 'Unknown';
}
