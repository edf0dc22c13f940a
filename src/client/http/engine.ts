// The Engine API's client: requests, hijacked streams, and the version that both sides speak.

import type { Duplex } from 'node:stream';
import { minimumVersion, newestVersion, versionLessThan } from '../../api/index.ts';
import { codeOfHttpStatus, EngineError, InvalidArgument, Unavailable } from '../../errdefs/index.ts';
import { clientVersion } from '../program.ts';
import { ByteSource } from './byte-source.ts';
import { dial, type Endpoint } from './endpoint.ts';
import { HttpResponse, readHead } from './response.ts';

export type QueryValue = string | number | boolean | readonly string[] | undefined;

export interface RequestOptions {
  readonly query?: Readonly<Record<string, QueryValue>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, chunked. */
  readonly stream?: AsyncIterable<Uint8Array>;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** Status codes besides 2xx that are no error to the caller. */
  readonly accept?: readonly number[];
}

/** A connection that has become a raw stream. */
export interface Hijacked {
  readonly socket: Duplex;
  /** Output that came with the answer. */
  readonly head: Buffer;
  readonly contentType: string;
}

/** The server answered with an error; `message` is its own. */
export class DaemonError extends EngineError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(codeOfHttpStatus(status), `Error response from daemon: ${message}`);
    this.status = status;
  }
}

/** No answer: nothing listens, or we may not connect. */
export class ConnectionError extends Unavailable {}

export interface PingResult {
  readonly apiVersion: string;
  readonly osType: string;
  readonly experimental: boolean;
  readonly builderVersion: string;
}

export class Engine {
  readonly endpoint: Endpoint;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #idle: ByteSource[] = [];
  #version: string;
  /** Whether the version is known to suit the server; until then a refusal tells us which does. */
  #settled: boolean;

  constructor(endpoint: Endpoint, options: { version?: string; headers?: Readonly<Record<string, string>> } = {}) {
    this.endpoint = endpoint;
    this.#headers = options.headers ?? {};
    this.#version = options.version ?? newestVersion;
    this.#settled = options.version !== undefined;
  }

  /** The version in use; the newest until a server has answered. */
  get version(): string {
    return this.#version;
  }

  /** Asks the server what it speaks, and settles on the newest version of both. */
  async ping(): Promise<PingResult> {
    const response = await this.#exchange('HEAD', '/_ping', {});
    const server = response.headers.get('api-version') ?? minimumVersion;
    if (!this.#settled && response.status < 500) {
      this.#settled = true;
      if (versionLessThan(server, this.#version)) this.#version = server;
    }
    return {
      apiVersion: server,
      osType: response.headers.get('ostype') ?? '',
      experimental: response.headers.get('docker-experimental') === 'true',
      builderVersion: response.headers.get('builder-version') ?? '',
    };
  }

  /**
   * Sends a request under the API version in use. The first one goes out with the newest version without asking first,
   * which saves a round trip against every server that is not older than we are; an older one names its own in the refusal.
   */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<HttpResponse> {
    if (!this.#settled && options.stream !== undefined) await this.ping(); // a stream cannot be sent twice
    let response = await this.#exchange(method, `/v${this.#version}${path}`, options);
    if (!this.#settled) {
      if (response.status === 400) {
        const message = await errorMessage(response);
        const older = /client version [0-9.]+ is too new\. Maximum supported API version is ([0-9.]+)/.exec(
          message,
        )?.[1];
        if (older === undefined) throw new DaemonError(400, message);
        this.#version = older;
        this.#settled = true;
        response = await this.#exchange(method, `/v${this.#version}${path}`, options);
      }
      this.#settled = true;
    }
    const { status } = response;
    if ((status >= 200 && status < 300) || options.accept?.includes(status)) return response;
    throw new DaemonError(status, await errorMessage(response));
  }

  async json<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const text = await (await this.request(method, path, options)).text();
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new Unavailable('error during connect: the daemon did not answer with JSON', { cause });
    }
  }

  /** The same for what answers nothing. */
  async send(method: string, path: string, options: RequestOptions = {}): Promise<undefined> {
    await (await this.request(method, path, options)).text();
    return undefined;
  }

  /** Turns the connection of a POST into a raw stream. */
  async hijack(path: string, options: RequestOptions = {}): Promise<Hijacked> {
    if (!this.#settled) await this.ping();
    const source = new ByteSource(await this.#dial());
    const onAbort = (): void => void source.socket.destroy();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const body = options.json === undefined ? undefined : JSON.stringify(options.json);
    source.socket.write(
      this.#head('POST', `/v${this.#version}${path}`, options, {
        Connection: 'Upgrade',
        Upgrade: 'tcp',
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        'Content-Length': String(Buffer.byteLength(body ?? '')),
      }) + (body ?? ''),
    );
    const head = await readHead(source);
    options.signal?.removeEventListener('abort', onAbort);
    if (head.status !== 101 && head.status !== 200) {
      const response = new HttpResponse(head, source, false, () => source.socket.destroy());
      throw new DaemonError(head.status, await errorMessage(response));
    }
    return { socket: source.socket, head: source.detach(), contentType: head.headers.get('content-type') ?? '' };
  }

  /** Closes the connections that wait for a next request. */
  close(): void {
    for (const source of this.#idle.splice(0)) source.socket.destroy();
  }

  async #dial(): Promise<Duplex> {
    try {
      return await dial(this.endpoint);
    } catch (cause) {
      if (cause instanceof InvalidArgument) throw cause;
      throw connectionError(this.endpoint, cause as NodeJS.ErrnoException);
    }
  }

  async #exchange(method: string, path: string, options: RequestOptions): Promise<HttpResponse> {
    options.signal?.throwIfAborted();
    const idle = this.#takeIdle();
    const source = idle ?? new ByteSource(await this.#dial());
    const onAbort = (): void => void source.socket.destroy();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const body = options.json === undefined ? '' : JSON.stringify(options.json);
    const own: Record<string, string> = {};
    if (options.json !== undefined) own['Content-Type'] = 'application/json';
    else if (options.contentType !== undefined) own['Content-Type'] = options.contentType;
    if (options.stream !== undefined) own['Transfer-Encoding'] = 'chunked';
    else if (method === 'POST' || method === 'PUT' || body !== '')
      own['Content-Length'] = String(Buffer.byteLength(body));
    source.socket.write(this.#head(method, path, options, own) + body);
    const sent = options.stream === undefined ? undefined : sendChunked(source.socket, options.stream);
    // The answer may come before all is sent, and then counts; a failure to send shows in the answer or its absence.
    const failedToSend = sent === undefined ? undefined : await Promise.race([sent, readable(source)]);
    if (failedToSend instanceof Error) {
      source.socket.destroy();
      throw failedToSend;
    }
    let head: Awaited<ReturnType<typeof readHead>>;
    try {
      head = await readHead(source);
    } catch (cause) {
      options.signal?.throwIfAborted();
      // The daemon may have closed the waiting connection just as we took it: what changes nothing is asked again.
      if (idle !== undefined && (method === 'GET' || method === 'HEAD'))
        return await this.#exchange(method, path, options);
      throw new Unavailable(`error during connect: ${method} ${path}: ${(cause as Error).message}`, { cause });
    }
    return new HttpResponse(head, source, method === 'HEAD', reusable => {
      options.signal?.removeEventListener('abort', onAbort);
      if (reusable && options.stream === undefined) this.#idle.push(source);
      else source.socket.destroy();
    });
  }

  /** A connection that waits for its next request, if one still stands. */
  #takeIdle(): ByteSource | undefined {
    for (let source = this.#idle.pop(); source !== undefined; source = this.#idle.pop()) {
      if (!source.ended) return source;
      source.socket.destroy();
    }
    return undefined;
  }

  #head(method: string, path: string, options: RequestOptions, own: Readonly<Record<string, string>>): string {
    const { address } = this.endpoint;
    const prefix = address.kind === 'tcp' ? address.pathPrefix : '';
    const host =
      address.kind === 'tcp'
        ? `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
        : 'docker';
    const headers = {
      Host: host,
      'User-Agent': `Berth-Client/${clientVersion} (linux)`,
      ...this.#headers,
      ...own,
      ...options.headers,
    };
    let text = `${method} ${prefix}${path}${encodeQuery(options.query)} HTTP/1.1\r\n`;
    for (const [name, value] of Object.entries(headers)) text += `${name}: ${value.replace(/[\r\n]/g, ' ')}\r\n`;
    return `${text}\r\n`;
  }
}

/** Resolves when the response has begun. */
async function readable(source: ByteSource): Promise<undefined> {
  const chunk = await source.next();
  if (chunk !== undefined) source.unshift(chunk);
  return undefined;
}

async function sendChunked(socket: Duplex, stream: AsyncIterable<Uint8Array>): Promise<Error | undefined> {
  try {
    for await (const chunk of stream) {
      if (socket.destroyed) return undefined;
      if (chunk.length === 0) continue;
      socket.write(`${chunk.length.toString(16)}\r\n`);
      socket.write(chunk);
      if (!socket.write('\r\n')) await drained(socket);
    }
    socket.write('0\r\n\r\n');
    // From here only the answer matters.
    return await new Promise<undefined>(() => {});
  } catch (err) {
    return err as Error;
  }
}

function drained(socket: Duplex): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

function encodeQuery(query: RequestOptions['query']): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    const values =
      typeof value === 'object' ? value : [typeof value === 'boolean' ? (value ? '1' : '0') : String(value)];
    for (const one of values) parts.push(`${name}=${encodeURIComponent(one)}`);
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

async function errorMessage(response: HttpResponse): Promise<string> {
  const text = await response.text();
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return message.trim();
  } catch {
    // Plain text, as the engine sends where it knows no version.
  }
  return text.trim() === '' ? `request returned ${response.status} for API route and version` : text.trim();
}

function connectionError(endpoint: Endpoint, cause: NodeJS.ErrnoException): ConnectionError {
  if (cause.code === 'EACCES' || cause.code === 'EPERM') {
    return new ConnectionError(
      `permission denied while trying to connect to the Docker daemon socket at ${endpoint.url}: connect: permission denied`,
      { cause },
    );
  }
  if (cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED') {
    return new ConnectionError(
      `Cannot connect to the Docker daemon at ${endpoint.url}. Is the docker daemon running?`,
      { cause },
    );
  }
  return new ConnectionError(`error during connect: ${cause.message}`, { cause });
}

/** A path segment. */
export const segment = (name: string): string => encodeURIComponent(name);
