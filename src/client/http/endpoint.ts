// Where the daemon is: -H, DOCKER_HOST or a context's host, and how to connect there.

import { connect as connectSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { InvalidArgument } from '../../errdefs/index.ts';

export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly verify: boolean;
}

export interface Endpoint {
  /** As messages name it. */
  readonly url: string;
  readonly address:
    | { readonly kind: 'unix'; readonly path: string }
    | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly pathPrefix: string }
    | { readonly kind: 'ssh'; readonly url: URL };
  readonly tls?: TlsFiles;
}

export const defaultHost = 'unix:///var/run/docker.sock';

/** Reads a host as Docker's client does; an empty one is the default socket. Throws InvalidArgument. */
export function parseEndpoint(host: string, tls?: TlsFiles): Endpoint {
  const url = host === '' ? defaultHost : host;
  const separator = url.indexOf('://');
  // A host alone is a TCP one.
  const scheme = separator < 0 ? 'tcp' : url.slice(0, separator);
  const rest = separator < 0 ? url : url.slice(separator + 3);
  switch (scheme) {
    case 'unix':
      return { url, address: { kind: 'unix', path: rest === '' ? '/var/run/docker.sock' : rest } };
    case 'tcp':
    case 'http':
    case 'https': {
      const parsed = URL.parse(`http://${rest}`);
      if (parsed === null) throw new InvalidArgument(`unable to parse docker host \`${host}\``);
      const encrypted = tls !== undefined || scheme === 'https';
      return {
        url,
        address: {
          kind: 'tcp',
          host: (parsed.hostname || '127.0.0.1').replace(/^\[(.*)\]$/, '$1'),
          port: Number(parsed.port || portOf(rest) || (encrypted ? 2376 : 2375)),
          pathPrefix: parsed.pathname.replace(/\/$/, ''),
        },
        ...(encrypted && { tls: tls ?? { verify: true } }),
      };
    }
    case 'ssh': {
      const parsed = URL.parse(url);
      if (parsed === null || parsed.hostname === '')
        throw new InvalidArgument(`unable to parse docker host \`${host}\``);
      return { url, address: { kind: 'ssh', url: parsed } };
    }
    default:
      throw new InvalidArgument(`invalid bind address format: ${host}`);
  }
}

/** URL drops a port of 80, since it is http's default. */
const portOf = (rest: string): string | undefined => /^[^/]*:([0-9]+)(?:\/|$)/.exec(rest)?.[1];

/** Opens a connection; resolves when it stands. */
export async function dial(endpoint: Endpoint): Promise<Duplex> {
  const { address, tls } = endpoint;
  if (address.kind === 'ssh') return (await import('./ssh.ts')).dialSsh(address.url);
  if (address.kind === 'tcp' && tls !== undefined) return (await import('./tls.ts')).dialTls(address, tls);
  const socket =
    address.kind === 'unix'
      ? connectSocket({ path: address.path, allowHalfOpen: true })
      : connectSocket({ host: address.host, port: address.port, allowHalfOpen: true, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return socket;
}
