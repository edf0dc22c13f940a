// One API call: what was asked, and the ways to answer it. Every handler gets one.

import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { decodeBody, type Filters, parseFilters, type Shape, versionLessThan } from '../../api/index.ts';
import { InvalidArgument, ResourceExhausted } from '../../errdefs/index.ts';
import { type Hijacked, takeOver } from './hijack.ts';
import type { Query } from './query.ts';

/** A handler either answers through the call or throws; the edge turns what it throws into a response. */
export type Handler = (call: Call) => Promise<void> | void;

/** Bytes of a JSON body that are read at most; the largest honest ones carry a seccomp profile. */
const maxJsonBytes = 4 << 20;

export interface CallParts {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** API version that the client speaks, as `1.51`. */
  readonly version: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  /** Of an upgrade request: bytes that came after its headers (body and what follows). */
  readonly head?: Buffer;
}

export class Call {
  readonly request: IncomingMessage;
  readonly version: string;
  readonly query: Query;
  readonly #response: ServerResponse;
  readonly #params: Readonly<Record<string, string>>;
  #head: Buffer | undefined;
  #gone: AbortController | undefined;
  #hijacked = false;

  constructor(parts: CallParts) {
    this.request = parts.request;
    this.version = parts.version;
    this.query = parts.query;
    this.#response = parts.response;
    this.#params = parts.params;
    this.#head = parts.head;
  }

  /** A `{name}` of the route's pattern. */
  param(name: string): string {
    const value = this.#params[name];
    if (value === undefined) throw new Error(`the route has no {${name}}`);
    return value;
  }

  /** Whether the client speaks a version below this one. */
  below(version: string): boolean {
    return versionLessThan(this.version, version);
  }

  /** Aborted when the client goes away before the answer is complete. Only for calls that should then stop. */
  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      const gone = new AbortController();
      this.#gone = gone;
      const response = this.#response;
      if (response.destroyed && !response.writableFinished) gone.abort();
      response.once('close', () => {
        if (!response.writableFinished) gone.abort();
      });
    }
    return this.#gone.signal;
  }

  get started(): boolean {
    return this.#hijacked || this.#response.headersSent;
  }

  header(name: string): string {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(',') : (value ?? '');
  }

  // ── the body ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Whether the request announces a body. */
  get hasBody(): boolean {
    const length = this.request.headers['content-length'];
    return this.request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
  }

  /** The body as a value of this shape; where there is none, `otherwise`, or Docker's error. */
  async body<T>(shape: Shape<T>, root = '', otherwise?: T): Promise<T> {
    const json = await this.jsonText();
    if (json === '' && otherwise !== undefined) return otherwise;
    return decodeBody(shape, json, root);
  }

  /** JSON text as a value of this shape. */
  decode<T>(shape: Shape<T>, json: string, root = ''): T {
    return decodeBody(shape, json, root);
  }

  /** The `filters` parameter; unknown keys are refused. */
  filters(accepted: readonly string[]): Filters {
    const filters = parseFilters(this.query.text('filters'));
    filters.validate(accepted);
    return filters;
  }

  /** The `filters` parameter, unchecked. */
  filterValues(): Filters {
    return parseFilters(this.query.text('filters'));
  }

  /** The body as JSON text by Docker's rules about its type, '' when there is none. */
  async jsonText(): Promise<string> {
    const type = this.header('content-type');
    if (!this.hasBody) return '';
    const media = type.split(';', 1)[0]!.trim().toLowerCase();
    if (media !== 'application/json' && !(type === '' && this.request.headers['content-length'] === '0')) {
      throw new InvalidArgument(
        type === ''
          ? `malformed Content-Type header (): mime: no media type`
          : `unsupported Content-Type header (${type}): must be 'application/json'`,
      );
    }
    return (await this.bytes(maxJsonBytes)).toString('utf8');
  }

  /** The whole body, at most so many bytes. */
  async bytes(maxBytes: number): Promise<Buffer> {
    if (this.#head !== undefined) return this.#bytesOfUpgrade(maxBytes);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw new ResourceExhausted(`request body is larger than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** node:http ends an upgrade request after its headers; its body (Content-Length only) stands before the raw bytes. */
  async #bytesOfUpgrade(maxBytes: number): Promise<Buffer> {
    const want = Number(this.request.headers['content-length'] ?? 0);
    if (this.request.headers['transfer-encoding'] !== undefined) {
      throw new InvalidArgument('a chunked body cannot be combined with an Upgrade header');
    }
    if (!(want <= maxBytes)) throw new ResourceExhausted(`request body is larger than ${maxBytes} bytes`);
    const socket = this.request.socket;
    while (this.#head!.length < want) {
      const chunk = await new Promise<Buffer | null>((resolve, reject) => {
        socket.once('data', resolve);
        socket.once('end', () => resolve(null));
        socket.once('error', reject);
        socket.resume();
      });
      socket.pause();
      if (chunk === null) throw new InvalidArgument('unexpected EOF');
      this.#head = Buffer.concat([this.#head!, chunk]);
    }
    const body = this.#head!.subarray(0, want);
    this.#head = this.#head!.subarray(want);
    return body;
  }

  // ── answers ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A JSON answer. */
  json(status: number, value: unknown): void {
    this.jsonBytes(status, JSON.stringify(value));
  }

  /** A JSON answer whose text is made already. */
  jsonBytes(status: number, text: string): void {
    this.send(status, 'application/json', `${text}\n`);
  }

  /** An answer without a body. */
  empty(status: number, headers: Readonly<Record<string, string>> = {}): void {
    this.#response.writeHead(status, headers).end();
  }

  /** A whole answer of any type. */
  send(
    status: number,
    contentType: string,
    body: string | Uint8Array,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.#response.writeHead(status, { ...headers, 'Content-Type': contentType, 'Content-Length': bytes.length });
    if (this.request.method === 'HEAD') this.#response.end();
    else this.#response.end(bytes);
  }

  /** Begins a streamed answer; its headers leave at once. */
  stream(contentType: string, headers: Readonly<Record<string, string>> = {}): ServerResponse {
    this.#response.writeHead(200, { ...headers, 'Content-Type': contentType });
    this.#response.flushHeaders();
    this.request.socket.setNoDelay?.(true);
    return this.#response;
  }

  /** Ends HTTP on this connection: 101 where the client asked to upgrade, else 200, and from there on raw bytes. */
  hijack(contentType: { readonly upgraded: string; readonly plain: string }): Hijacked {
    const upgraded = this.#head !== undefined;
    this.#hijacked = true;
    const type = upgraded ? contentType.upgraded : contentType.plain;
    const socket = this.request.socket as Socket;
    const head = takeOver(this.#response, socket, this.#head ?? Buffer.alloc(0));
    socket.write(
      upgraded
        ? `HTTP/1.1 101 UPGRADED\r\n${this.#fixedHeaders()}Content-Type: ${type}\r\nConnection: Upgrade\r\nUpgrade: ${this.header('upgrade') || 'tcp'}\r\n\r\n`
        : `HTTP/1.1 200 OK\r\n${this.#fixedHeaders()}Content-Type: ${type}\r\n\r\n`,
    );
    return { socket, head };
  }

  /** Ends HTTP with an answer of the caller's own (a WebSocket's), headers included. */
  takeOver(answer: string): Hijacked {
    this.#hijacked = true;
    const { socket } = this.request;
    const head = takeOver(this.#response, socket, this.#head ?? Buffer.alloc(0));
    socket.write(answer);
    return { socket, head };
  }

  #fixedHeaders(): string {
    let text = '';
    for (const name of ['Api-Version', 'Docker-Experimental', 'Ostype', 'Server']) {
      const value = this.#response.getHeader(name);
      if (value !== undefined) text += `${name}: ${value}\r\n`;
    }
    return text;
  }

  get upgraded(): boolean {
    return this.#head !== undefined;
  }
}

/** A response for an upgrade request, for which node:http makes none. */
export function responseFor(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.on('finish', () => {
    response.detachSocket(socket);
    socket.end();
  });
  return response;
}
