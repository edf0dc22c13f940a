// One HTTP exchange on node:http(s), with what a registry's client needs around it: connections kept per host, bounded waits and
// redirects, credentials that never leave the host they are for, failures in words.

import { hash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { createSecureContext, getCACertificates, rootCertificates, type SecureContext } from 'node:tls';
import { Unavailable } from '../../errdefs/index.ts';
import { type ProxyEnvironment, proxyEnvironment } from './proxy.ts';
import { failureInWords, Unreachable } from './words.ts';

/** How TLS to one host is done; absent fields are Node's defaults. */
export interface TlsOptions {
  /** Authorities beside the usual ones. */
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  /** Take any certificate. */
  readonly skipVerify?: boolean;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes, or a stream of them; a stream needs its `length`, and can be sent only once. */
  readonly body?: Uint8Array | { readonly stream: AsyncIterable<Uint8Array>; readonly length: number };
  readonly tls?: TlsOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long the answer's head may take once the request is sent. */
  readonly answerTimeoutMs?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: http.IncomingHttpHeaders;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  /** To be read to its end or destroyed, always: else its connection stays taken. */
  readonly body: http.IncomingMessage;
}

export interface TransportOptions {
  /** Until a connection stands, TLS included. */
  readonly connectTimeoutMs?: number;
  readonly answerTimeoutMs?: number;
  readonly userAgent?: string;
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY are: `process.env`, or the daemon's own settings. Absent: no proxies. */
  readonly proxyEnvironment?: ProxyEnvironment;
}

/** As many as Go's client follows. */
const maxRedirects = 10;
const redirects = new Set([301, 302, 303, 307, 308]);

export class Transport {
  readonly #options: TransportOptions;
  readonly #agents = new Map<string, http.Agent>();
  readonly #proxy: ProxyEnvironment | undefined;
  #systemAuthorities: readonly string[] | undefined;

  constructor(options: TransportOptions = {}) {
    this.#options = options;
    this.#proxy = proxyEnvironment(options.proxyEnvironment ?? {});
  }

  /** Sends the request and follows redirects of GET and HEAD. Any status is an answer; Unavailable where none came. */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    let { url } = request;
    let headers: Readonly<Record<string, string>> = { ...request.headers };
    let tls = request.tls;
    for (let hop = 0; ; hop++) {
      const answer = await this.#trusting({ ...request, url, headers, tls });
      const location = answer.headers.location;
      const follow = (request.method === 'GET' || request.method === 'HEAD') && redirects.has(answer.status);
      if (!follow || location === undefined) return answer;
      answer.body.resume();
      const words = `${request.method[0]}${request.method.slice(1).toLowerCase()} "${request.url}"`;
      if (hop === maxRedirects) throw new Unavailable(`${words}: stopped after ${maxRedirects} redirects`);
      const next = parseLocation(location, url, words);
      if (next.origin !== url.origin) {
        // S3, Azure and GCS refuse a foreign Authorization, and it is none of their business.
        headers = Object.fromEntries(Object.entries(headers).filter(([name]) => !isCredential(name)));
      }
      // A host's own CA and client certificate are for that host; everyone else is checked against the system's.
      if (next.host !== request.url.host) tls = undefined;
      else tls = request.tls;
      if (url.protocol === 'https:' && next.protocol === 'http:' && request.tls?.skipVerify !== true) {
        throw new Unavailable(`${words}: redirected from https to plain http at ${next.host}`);
      }
      url = next;
    }
  }

  /**
   * Node knows the authorities of the web. Those that the machine trusts beside them (a company's own) are read when a certificate
   * is of neither: that takes a tenth of a second, which most daemons need never spend.
   */
  async #trusting(request: HttpRequest): Promise<HttpAnswer> {
    try {
      return await this.#exchange(request);
    } catch (err) {
      const again = err instanceof Unreachable && err.unknownAuthority && this.#systemAuthorities === undefined;
      if (!again || (request.body !== undefined && !(request.body instanceof Uint8Array))) throw err;
      this.#systemAuthorities = getCACertificates('system');
      // New connections get new agents; what is under way ends with the old ones.
      for (const key of [...this.#agents.keys()]) if (key.startsWith('https')) this.#agents.delete(key);
      return this.#exchange(request);
    }
  }

  #exchange(request: HttpRequest): Promise<HttpAnswer> {
    const { url, method, body, signal } = request;
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
    const secure = url.protocol === 'https:';
    const outgoing = (secure ? https : http).request(url, {
      method,
      agent: this.#agent(secure, request.tls),
      headers: {
        ...(this.#options.userAgent !== undefined && { 'user-agent': this.#options.userAgent }),
        ...request.headers,
        ...(body !== undefined && { 'content-length': String(bodyLength(body)) }),
      },
      ...(signal !== undefined && { signal }),
    });
    const fail = (err: Error): void => reject(signal?.aborted ? signal.reason : failureInWords(request, err));
    const timers = this.#watch(outgoing, request);
    outgoing.once('response', incoming => {
      timers.stop();
      // Who reads the body is told by the reading; of a body that nobody reads, nobody needs to know.
      incoming.on('error', () => {});
      // A refusal that comes before all is sent: what is left of the body is not sent after it.
      incoming.once('end', () => {
        if (!outgoing.writableFinished) outgoing.destroy();
      });
      resolve({
        status: incoming.statusCode ?? 0,
        statusText: incoming.statusMessage ?? '',
        headers: incoming.headers,
        url,
        body: incoming,
      });
    });
    // Stays for the connection's whole life: an error after the answer reaches the reader through the body.
    outgoing.on('error', err => {
      timers.stop();
      fail(err);
    });
    // The body's source failed, which is not the network's failure.
    void sendBody(outgoing, body, timers).catch(err => {
      reject(err);
      outgoing.destroy();
    });
    return promise;
  }

  #watch(outgoing: http.ClientRequest, request: HttpRequest): Timers {
    const connectMs = this.#options.connectTimeoutMs ?? 30_000;
    const answerMs = request.answerTimeoutMs ?? this.#options.answerTimeoutMs ?? 60_000;
    const expire = (what: string, ms: number) => setTimeout(() => outgoing.destroy(timeoutError(what)), ms);
    let timer = expire('connecting', connectMs);
    let sent = false;
    let connected = false;
    let stopped = false;
    const next = (): void => {
      clearTimeout(timer);
      if (sent && connected && !stopped) timer = expire('awaiting headers', answerMs);
    };
    outgoing.once('socket', socket => {
      // node:http takes its own listener away before the error of a request that was given up comes out of its socket.
      if (!socket.listeners('error').includes(ignore)) socket.on('error', ignore);
      const ready = (): void => {
        connected = true;
        next();
      };
      if (outgoing.reusedSocket || !socket.connecting) ready();
      else socket.once(request.url.protocol === 'https:' ? 'secureConnect' : 'connect', ready);
    });
    return {
      sent: () => {
        sent = true;
        if (connected) next();
      },
      stop: () => {
        stopped = true;
        clearTimeout(timer);
      },
    };
  }

  #agent(secure: boolean, tls: TlsOptions | undefined): http.Agent {
    // By what the options are: certs.d is read anew for each pull.
    const key = secure ? `https ${tls === undefined ? '' : hash('sha256', JSON.stringify(tls))}` : 'http';
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      const common = {
        keepAlive: true,
        maxFreeSockets: 8,
        timeout: 0,
        ...(this.#proxy !== undefined && { proxyEnv: this.#proxy }),
      };
      agent = secure
        ? new https.Agent({
            ...common,
            rejectUnauthorized: tls?.skipVerify !== true,
            ...this.#secureContext(tls),
          })
        : new http.Agent(common);
      this.#agents.set(key, agent);
    }
    return agent;
  }

  /** Made once: parsing a hundred authorities for each connection would hold up the loop. Node's own is made already. */
  #secureContext(tls: TlsOptions | undefined): { secureContext?: SecureContext } {
    const { ca = [], cert, key } = tls ?? {};
    const more = [...ca, ...(this.#systemAuthorities ?? [])];
    if (more.length === 0 && cert === undefined) return {};
    const options = {
      ...(more.length > 0 && { ca: [...new Set([...rootCertificates, ...more])] }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
    };
    return { secureContext: createSecureContext(options) };
  }

  /** Ends all connections, those in use too. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }
}

const ignore = (): void => {};

interface Timers {
  sent(): void;
  stop(): void;
}

async function sendBody(outgoing: http.ClientRequest, body: HttpRequest['body'], timers: Timers): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) {
    outgoing.end(body, () => timers.sent());
    return;
  }
  for await (const chunk of body.stream) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(chunk)) await drained(outgoing);
  }
  outgoing.end(() => timers.sent());
}

function drained(outgoing: http.ClientRequest): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      outgoing.off('drain', done);
      outgoing.off('close', done);
      resolve();
    };
    outgoing.once('drain', done);
    outgoing.once('close', done);
  });
}

const bodyLength = (body: NonNullable<HttpRequest['body']>): number =>
  body instanceof Uint8Array ? body.byteLength : body.length;

const isCredential = (header: string): boolean =>
  /^(authorization|cookie|proxy-authorization|x-.*-token)$/i.test(header);

function parseLocation(location: string, base: URL, words: string): URL {
  const next = URL.canParse(location, base.href) ? new URL(location, base) : undefined;
  if (next === undefined || !/^https?:$/.test(next.protocol)) {
    throw new Unavailable(`${words}: redirected to an address that is none: "${location.slice(0, 200)}"`);
  }
  return next;
}

const timeoutError = (what: string): Error => Object.assign(new Error(`timeout ${what}`), { code: 'ETIMEDOUT' });
