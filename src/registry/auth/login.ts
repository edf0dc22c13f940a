import { Unauthenticated } from '../../errdefs/index.ts';
import type { Session } from '../client/session.ts';
import { pingUrl } from '../hosts/host.ts';
import type { Hosts } from '../hosts/hosts.ts';
import { type AuthConfig, registryKey } from './config.ts';

/** What `POST /auth` answers. */
export interface LoginResult {
  readonly Status: string;
  /** A refresh token to keep in the password's place; empty where the registry gives none. */
  readonly IdentityToken: string;
}

/** Asks the registry for /v2/ with the credentials. */
export async function login(auth: AuthConfig, hosts: Hosts, session: Session): Promise<LoginResult> {
  const domain = registryKey(
    auth.serveraddress === undefined || auth.serveraddress === '' ? 'docker.io' : auth.serveraddress,
  );
  const able = await hosts.of(domain, 'pull', session.signal);
  const host = able.find(candidate => candidate.authoritative) ?? able[0];
  if (host === undefined) throw new Unauthenticated(`no host is known for ${domain}`);
  const { authorizer, transport, signal } = session;
  await authorizer.ping(host, signal);
  const url = pingUrl(host);
  // With a token server, the token itself is the proof, and gives the identity token.
  const identity = auth.identitytoken ?? (await authorizer.identityToken(host, auth, signal));
  const authorization = await authorizer.authorization(host, [], auth, { fresh: true, signal });
  const answer = await transport.send({
    method: 'GET',
    url,
    headers: { ...host.headers, ...(authorization !== undefined && { authorization }) },
    ...(host.tls !== undefined && { tls: host.tls }),
    signal,
  });
  if (answer.status === 200) {
    answer.body.resume();
    return { Status: 'Login Succeeded', IdentityToken: identity };
  }
  answer.body.resume();
  throw new Unauthenticated(`login attempt to ${url} failed with status: ${answer.status} ${answer.statusText}`);
}
