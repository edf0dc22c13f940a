import { codeOf, describe, EngineError } from '../../errdefs/index.ts';
import { NoCredentials } from '../auth/authorizer.ts';
import { parseChallenges } from '../auth/challenge.ts';
import { endpoint, type RegistryHost } from '../hosts/host.ts';
import { refusal } from '../http/answer.ts';
import { retrying } from '../http/retry.ts';
import type { HttpAnswer, HttpRequest } from '../http/transport.ts';
import type { Session } from './session.ts';

export type Action = 'pull' | 'push';

export interface RepositoryRequest {
  readonly method: HttpRequest['method'];
  /** Below the repository (`manifests/latest`), or a whole URL that the registry gave. */
  readonly path: string | URL;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpRequest['body'];
  readonly answerTimeoutMs?: number;
  /** Other repositories that the request reads from. */
  readonly alsoPull?: readonly string[];
}

/** One repository on one host: sends requests with the right Authorization, and turns refusals into errors. */
export class Repository {
  readonly host: RegistryHost;
  /** `library/ubuntu`. */
  readonly path: string;
  readonly session: Session;
  readonly #action: Action;

  constructor(host: RegistryHost, path: string, action: Action, session: Session) {
    this.host = host;
    this.path = path;
    this.session = session;
    this.#action = action;
  }

  /** The same, given up when `signal` says so. */
  withSignal(signal: AbortSignal): Repository {
    return new Repository(this.host, this.path, this.#action, { ...this.session, signal });
  }

  /** Sends once, twice where a token has to be fetched first. Any status but 401 is an answer; the caller reads its body. */
  async send(request: RepositoryRequest): Promise<HttpAnswer> {
    const { session, host } = this;
    const url = this.#url(request);
    const scopes = [
      `repository:${this.path}:${this.#action === 'push' ? 'pull,push' : 'pull'}`,
      ...(request.alsoPull ?? []).map(path => `repository:${path}:pull`),
    ];
    for (let fresh = false; ; fresh = true) {
      const authorization = await this.#authorize(request, url, scopes, fresh);
      const answer = await session.transport.send({
        method: request.method,
        url,
        headers: {
          ...session.headers,
          ...host.headers,
          ...request.headers,
          ...(authorization !== undefined && url.host === host.base.host && { authorization }),
        },
        ...(request.body !== undefined && { body: request.body }),
        ...(host.tls !== undefined && url.host === host.base.host && { tls: host.tls }),
        ...(request.answerTimeoutMs !== undefined && { answerTimeoutMs: request.answerTimeoutMs }),
        signal: session.signal,
      });
      if (answer.status !== 401) return answer;
      const known = authorization !== undefined;
      session.authorizer.learn(host, answer);
      const streamed = request.body !== undefined && !(request.body instanceof Uint8Array);
      // A first 401 is a question. After an answer it is a refusal, except that a cached token may have been revoked.
      const worthTrying = !fresh && !streamed && (!known || authorization?.startsWith('Bearer '));
      if (!worthTrying || parseChallenges(answer.headers['www-authenticate']).length === 0) throw await refusal(answer);
      answer.body.resume();
    }
  }

  /** Sends until it succeeds or cannot, and throws unless the status is one of `accept`. Not for bodies that stream. */
  async request(request: RepositoryRequest, accept: readonly number[]): Promise<HttpAnswer> {
    return retrying(
      this.session.retry,
      async () => {
        const answer = await this.send(request);
        if (accept.includes(answer.status)) return answer;
        throw await refusal(answer);
      },
      { signal: this.session.signal },
    );
  }

  #url({ path, query }: RepositoryRequest): URL {
    return path instanceof URL ? path : endpoint(this.host, `${this.path}/${path}`, query);
  }

  async #authorize(
    request: RepositoryRequest,
    url: URL,
    scopes: string[],
    fresh: boolean,
  ): Promise<string | undefined> {
    const { authorizer, auth, signal } = this.session;
    try {
      return await authorizer.authorization(this.host, scopes, auth, { fresh, signal });
    } catch (err) {
      signal?.throwIfAborted();
      const { method } = request;
      const message = `${method[0]}${method.slice(1).toLowerCase()} "${url}": ${describe(err)}`;
      if (err instanceof NoCredentials) throw new NoCredentials(message);
      throw new EngineError(codeOf(err), message, { cause: err });
    }
  }
}
