import { createPrivateKey, createSign, randomUUID, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { account, testdata } from './registry.ts';

const basic = `Basic ${btoa(`${account.username}:${account.password}`)}`;

/** Signs what it is asked for, for those who may: the account, and the refresh token that it gives. */
export class TokenServer implements AsyncDisposable {
  readonly seen: { method: string; query: URLSearchParams; authorization: string | undefined }[] = [];
  realm = '';
  #close = async (): Promise<void> => {};

  static async start(): Promise<TokenServer> {
    const tokens = new TokenServer();
    const server = createServer((request, response) => void tokens.#answer(request, response));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    tokens.realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
    tokens.#close = async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    };
    return tokens;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { authorization } = request.headers;
    let query = new URL(request.url ?? '', 'http://x').searchParams;
    if (request.method === 'POST') {
      let body = '';
      for await (const chunk of request) body += chunk;
      query = new URLSearchParams(body);
    }
    this.seen.push({ method: request.method ?? '', query, authorization });
    const refreshed = query.get('refresh_token');
    const known = authorization === basic || refreshed === 'refresh-me';
    if ((authorization !== undefined || refreshed !== null) && !known) {
      response.writeHead(401).end(JSON.stringify({ details: 'incorrect username or password' }));
      return;
    }
    const scopes = query.getAll('scope').flatMap(text => text.split(' '));
    const access = scopes.map(scope => {
      const [type, name, actions = ''] = scope.split(':');
      return { type, name, actions: known ? actions.split(',') : [] };
    });
    const refreshToken = query.get('offline_token') === 'true' && known ? { refresh_token: 'refresh-me' } : {};
    response.end(JSON.stringify({ token: signToken(access), expires_in: 300, ...refreshToken }));
  }
}

/** A token as docker-registry accepts it. */
export function signToken(access: object[]): string {
  const certificate = new X509Certificate(readFileSync(join(testdata, 'ca.crt')));
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = { alg: 'ES256', typ: 'JWT', x5c: [certificate.raw.toString('base64')] };
  const claims = {
    iss: 'test-issuer',
    aud: 'test-registry',
    sub: 'x',
    iat: now,
    nbf: now - 10,
    exp: now + 300,
    jti: randomUUID(),
    access,
  };
  const text = `${part(header)}.${part(claims)}`;
  const key = createPrivateKey(readFileSync(join(testdata, 'ca.key')));
  return `${text}.${createSign('sha256').update(text).sign({ key, dsaEncoding: 'ieee-p1363' }, 'base64url')}`;
}
