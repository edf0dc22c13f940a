// The token servers' protocol (distribution docs/spec/auth/token.md and oauth.md).

import { InvalidArgument } from '../../errdefs/index.ts';
import { readJson, refusal } from '../http/answer.ts';
import type { HttpRequest, TlsOptions, Transport } from '../http/transport.ts';
import type { AuthConfig } from './config.ts';

export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  /** `repository:<name>:<actions>`. */
  readonly scopes: readonly string[];
  readonly auth: AuthConfig;
  /** Ask for a refresh token too: what `docker login` keeps in the password's place. */
  readonly offline?: boolean;
  readonly tls: TlsOptions | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface Token {
  readonly token: string;
  readonly expiresAt: number;
  readonly refreshToken?: string;
}

const clientId = 'docker';
const tokenMaxBytes = 256 << 10;

/** Gets a token, anonymously where there are no credentials. */
export async function fetchToken(transport: Transport, request: TokenRequest): Promise<Token> {
  const { auth } = request;
  if (auth.identitytoken !== undefined) {
    const answer = await transport.send(refreshRequest(request, auth.identitytoken));
    // Servers without the newer form, asked with a password where one is there too.
    const unknownForm = answer.status === 404 || answer.status === 405 || answer.status === 501;
    if (!unknownForm || auth.password === undefined) return readToken(answer);
    answer.body.resume();
  }
  return readToken(await transport.send(basicRequest(request)));
}

function basicRequest({ realm, service, scopes, auth, offline, tls, signal }: TokenRequest): HttpRequest {
  const url = new URL(realm);
  const parameters: [string, string][] = [
    ...(auth.username !== undefined ? [['account', auth.username] satisfies [string, string]] : []),
    ...(offline
      ? ([
          ['client_id', clientId],
          ['offline_token', 'true'],
        ] satisfies [string, string][])
      : []),
    ...scopes.map((scope): [string, string] => ['scope', scope]),
    ...(service !== undefined ? [['service', service] satisfies [string, string]] : []),
  ];
  for (const [name, value] of parameters) url.searchParams.append(name, value);
  const authorization = basicAuthorization(auth);
  return {
    method: 'GET',
    url,
    ...(authorization !== undefined && { headers: { authorization } }),
    ...(tls !== undefined && { tls }),
    signal,
  };
}

function refreshRequest({ realm, service, scopes, tls, signal }: TokenRequest, refreshToken: string): HttpRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: clientId,
    refresh_token: refreshToken,
    ...(service !== undefined && { service }),
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
  });
  return {
    method: 'POST',
    url: realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
    ...(tls !== undefined && { tls }),
    signal,
  };
}

/** `Basic ...`, where there are a name and a password. */
export function basicAuthorization({ username, password }: AuthConfig): string | undefined {
  if (username === undefined || password === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function readToken(answer: Awaited<ReturnType<Transport['send']>>): Promise<Token> {
  if (answer.status < 200 || answer.status >= 300) throw await refusal(answer);
  const body = ((await readJson(answer, 'token', tokenMaxBytes)) ?? {}) as Record<string, unknown>;
  const token = text(body.token) ?? text(body.access_token);
  if (token === undefined) throw new InvalidArgument('authorization server did not include a token in the response');
  const refreshToken = text(body.refresh_token);
  // The specification's default is 60 seconds, and it is also the least that is believed.
  const seconds = typeof body.expires_in === 'number' ? Math.max(body.expires_in, 60) : 60;
  const issuedAt = Date.parse(text(body.issued_at) ?? '');
  // A server whose clock is ahead or behind does not shorten or stretch a token's life.
  const now = Date.now();
  const from = Number.isNaN(issuedAt) || issuedAt > now ? now : Math.max(issuedAt, now - 60_000);
  return { token, expiresAt: from + seconds * 1000, ...(refreshToken !== undefined && { refreshToken }) };
}

// A token goes into a header: no line ends in it.
const text = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\x20-\x7e]+$/.test(value) ? value : undefined;
