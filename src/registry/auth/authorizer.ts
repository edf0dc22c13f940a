import { createHash } from 'node:crypto';
import { Unauthenticated } from '../../errdefs/index.ts';
import { pingUrl, type RegistryHost } from '../hosts/host.ts';
import type { HttpAnswer, Transport } from '../http/transport.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { AuthConfig } from './config.ts';
import { basicAuthorization, fetchToken, type Token } from './token.ts';

/** No credentials were given to a registry that wants a name and a password. */
export class NoCredentials extends Unauthenticated {}

/** A token is not used in its last seconds. */
const marginMs = 5_000;
const maxCachedTokens = 1_000;

/**
 * Answers registries' challenges. It remembers per host which challenge it gives, so that later requests carry the answer at
 * once, and caches tokens per realm, service, scopes and credentials: no one ever uses a token that others' credentials got.
 */
export class Authorizer {
  readonly #transport: Transport;
  readonly #challenges = new Map<string, readonly Challenge[]>();
  readonly #tokens = new Map<string, Token>();
  readonly #fetching = new Map<string, Promise<Token>>();

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Learns from GET /v2/ what a host wants, once; a host that is not there fails here, in the words that Docker has for it. */
  async ping(host: RegistryHost, signal?: AbortSignal): Promise<void> {
    if (this.#challenges.has(host.base.href)) return;
    const answer = await this.#transport.send({
      method: 'GET',
      url: pingUrl(host),
      ...(host.headers !== undefined && { headers: host.headers }),
      ...(host.tls !== undefined && { tls: host.tls }),
      signal,
    });
    answer.body.resume();
    // A mirror may serve nothing at /v2/ itself; what it wants is then learned from the first refusal.
    if (answer.status === 200 || answer.status === 401) this.learn(host, answer);
  }

  /** Takes over the challenge of a 401. */
  learn(host: RegistryHost, answer: HttpAnswer): void {
    const header = answer.headers['www-authenticate'] as string | readonly string[] | undefined;
    this.#challenges.set(host.base.href, parseChallenges(header));
  }

  /** The Authorization header for a request in these scopes; undefined when the host wants none. */
  async authorization(
    host: RegistryHost,
    scopes: readonly string[],
    auth: AuthConfig,
    options: { fresh?: boolean; signal?: AbortSignal | undefined } = {},
  ): Promise<string | undefined> {
    // Mirrors are other people's machines.
    const own = host.authoritative ? auth : {};
    const challenges = this.#challenges.get(host.base.href);
    if (challenges === undefined || challenges.length === 0) return undefined;
    if (own.registrytoken !== undefined) return `Bearer ${own.registrytoken}`;
    const bearer = challenges.find(
      challenge => challenge.scheme === 'bearer' && challenge.parameters.realm !== undefined,
    );
    if (bearer !== undefined) return `Bearer ${(await this.#token(host, bearer, scopes, own, options)).token}`;
    if (challenges.some(challenge => challenge.scheme === 'basic')) {
      const basic = basicAuthorization(own);
      if (basic === undefined) throw new NoCredentials('no basic auth credentials');
      return basic;
    }
    return undefined;
  }

  /** The refresh token that `docker login` keeps; empty when the host gives none. */
  async identityToken(host: RegistryHost, auth: AuthConfig, signal?: AbortSignal): Promise<string> {
    const challenges = this.#challenges.get(host.base.href) ?? [];
    const bearer = challenges.find(
      challenge => challenge.scheme === 'bearer' && challenge.parameters.realm !== undefined,
    );
    if (bearer === undefined) return '';
    const token = await this.#fetch(host, bearer, [], auth, signal, true);
    return token.refreshToken ?? '';
  }

  async #token(
    host: RegistryHost,
    challenge: Challenge,
    scopes: readonly string[],
    auth: AuthConfig,
    { fresh, signal }: { fresh?: boolean; signal?: AbortSignal | undefined },
  ): Promise<Token> {
    const key = tokenKey(challenge, scopes, auth);
    const cached = this.#tokens.get(key);
    if (!fresh && cached !== undefined && cached.expiresAt - marginMs > Date.now()) return cached;
    // Whoever fetches the same now fetches it for us too; if that fails, by their abort for one, we fetch it ourselves.
    const theirs = this.#fetching.get(key);
    if (theirs !== undefined) {
      const token = await theirs.catch(() => undefined);
      if (token !== undefined) return token;
    }
    const fetching = this.#fetch(host, challenge, scopes, auth, signal, false);
    this.#fetching.set(key, fetching);
    try {
      const token = await fetching;
      this.#tokens.set(key, token);
      this.#dropOldest();
      return token;
    } finally {
      if (this.#fetching.get(key) === fetching) this.#fetching.delete(key);
    }
  }

  #fetch(
    host: RegistryHost,
    { parameters }: Challenge,
    scopes: readonly string[],
    auth: AuthConfig,
    signal: AbortSignal | undefined,
    offline: boolean,
  ): Promise<Token> {
    const realm = parseRealm(parameters.realm as string, host);
    return fetchToken(this.#transport, {
      realm,
      service: parameters.service,
      scopes,
      auth,
      offline,
      tls: realm.host === host.base.host ? host.tls : undefined,
      signal,
    });
  }

  #dropOldest(): void {
    // A Map keeps the order of insertion.
    for (const key of this.#tokens.keys()) {
      if (this.#tokens.size <= maxCachedTokens) return;
      this.#tokens.delete(key);
    }
  }
}

/** Credentials are sent to the realm: it must be an HTTP address, and no less protected than the registry itself. */
function parseRealm(text: string, host: RegistryHost): URL {
  const realm = URL.canParse(text) ? new URL(text) : undefined;
  if (realm === undefined || !/^https?:$/.test(realm.protocol)) {
    throw new Unauthenticated(
      `registry ${host.base.host} names a token server that has no address: "${text.slice(0, 200)}"`,
    );
  }
  if (realm.protocol === 'http:' && host.base.protocol === 'https:' && host.tls?.skipVerify !== true) {
    throw new Unauthenticated(`registry ${host.base.host} names a token server without TLS: "${text.slice(0, 200)}"`);
  }
  return realm;
}

function tokenKey({ parameters }: Challenge, scopes: readonly string[], auth: AuthConfig): string {
  const parts = [
    parameters.realm,
    parameters.service ?? '',
    [...scopes].sort().join(' '),
    auth.username ?? '',
    auth.password ?? '',
    auth.identitytoken ?? '',
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}
