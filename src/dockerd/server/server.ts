// The edge: every request comes in and every error goes out here.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { checkVersion, matchRoute, newestVersion, type RouteName } from '../../api/index.ts';
import { codeOf, describe, httpStatus, isCanceled } from '../../errdefs/index.ts';
import type { Log } from '../log.ts';
import { Call, type Handler, responseFor } from './call.ts';
import { Query } from './query.ts';

/** One handler per route of the Engine API. */
export type Handlers = Readonly<Record<RouteName, Handler>>;

export interface ServerOptions {
  readonly handlers: Handlers;
  /** Of the engine, as `28.5.2`. */
  readonly engineVersion: string;
  readonly minApiVersion: string;
  readonly experimental: boolean;
  readonly log: Log;
}

/** Bytes of a form-encoded body that are read at most. */
const maxFormBytes = 1 << 20;

export class ApiServer {
  readonly #options: ServerOptions;
  readonly #headers: readonly (readonly [string, string])[];
  /** Requests being answered; upgraded connections leave it when they are taken over. */
  #active = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#headers = [
      ['Api-Version', newestVersion],
      ['Docker-Experimental', String(options.experimental)],
      ['Ostype', 'linux'],
      ['Server', `Docker/${options.engineVersion} (linux)`],
    ];
  }

  get active(): number {
    return this.#active;
  }

  /** node:http's `request`. */
  readonly onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    void this.#answer(request, response);
  };

  /** node:http's `upgrade`: the same, but the connection may leave HTTP. */
  readonly onUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    void this.#answer(request, responseFor(request, socket), head);
  };

  /** Only routes that can leave HTTP see an upgrade; for the others the header means nothing, as in Go. */
  readonly shouldUpgrade = (request: IncomingMessage): boolean =>
    /\/(?:containers\/[^/]+\/attach(?:\/ws)?|exec\/[^/]+\/start|session|grpc)(?:\?|$)/.test(request.url ?? '');

  async #answer(request: IncomingMessage, response: ServerResponse, head?: Buffer): Promise<void> {
    for (const [name, value] of this.#headers) response.setHeader(name, value);
    this.#active++;
    let call: Call | undefined;
    const method = request.method ?? 'GET';
    try {
      const url = request.url ?? '/';
      const at = url.indexOf('?');
      if (method === 'OPTIONS') {
        response.writeHead(200).end();
        return;
      }
      const match = matchRoute(method, at < 0 ? url : url.slice(0, at));
      if (match === undefined) {
        answerError(response, 404, 'page not found');
        return;
      }
      const version = checkVersion(match.version, this.#options.minApiVersion);
      const query = new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
      call = await this.#call(request, response, version, query, match.parameters, head);
      await this.#options.handlers[match.route.name](call);
    } catch (err) {
      this.#fail(request, response, call, err);
    } finally {
      this.#active--;
      // A body that nobody read would hold up the next request on this connection.
      if (head === undefined && !request.complete && response.writableEnded) request.resume();
    }
  }

  async #call(
    request: IncomingMessage,
    response: ServerResponse,
    version: string,
    query: URLSearchParams,
    params: Readonly<Record<string, string>>,
    head: Buffer | undefined,
  ): Promise<Call> {
    const parts = { request, response, version, params, ...(head !== undefined && { head }) };
    const type = request.headers['content-type'];
    if (request.method !== 'POST' || type === undefined || !type.startsWith('application/x-www-form-urlencoded')) {
      return new Call({ ...parts, query: new Query(query) });
    }
    // Parameters may also come form-encoded in the body of a POST.
    const form = await new Call({ ...parts, query: new Query(query) }).bytes(maxFormBytes);
    for (const [name, value] of new URLSearchParams(form.toString('utf8'))) query.append(name, value);
    return new Call({ ...parts, query: new Query(query) });
  }

  #fail(request: IncomingMessage, response: ServerResponse, call: Call | undefined, err: unknown): void {
    const { log } = this.#options;
    // A bare errno says nothing about what the client asked for: a file of ours that is missing is no 404.
    const code = err instanceof Error && 'errno' in err ? 'Unknown' : codeOf(err);
    const status = httpStatus[code];
    const message = describe(err);
    if (code === 'Unknown' && !(err instanceof Error && 'dockerText' in err)) {
      log.error('handler failed', { method: request.method, url: request.url, err });
    } else if (status >= 500 && !isCanceled(err)) {
      log.error(message, { method: request.method, url: request.url });
    } else log.debug(`answered ${status}: ${message}`, { method: request.method, url: request.url });
    if (call?.started === true || response.headersSent) {
      // Too late for a status: the stream ends where it is.
      if (!response.writableEnded) response.destroy();
      return;
    }
    answerError(response, status, message);
  }
}

function answerError(response: ServerResponse, status: number, message: string): void {
  if (status === 304) {
    response.writeHead(304).end();
    return;
  }
  const body = Buffer.from(`${JSON.stringify({ message })}\n`);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  response.end(body);
}
