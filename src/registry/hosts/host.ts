import type { TlsOptions } from '../http/transport.ts';

export type Capability = 'pull' | 'resolve' | 'push';

/** A server that is asked for a repository: the registry itself, or a mirror of it. */
export interface RegistryHost {
  /** Where `/v2/` is found, without a slash at the end: `https://registry-1.docker.io/v2`. */
  readonly base: URL;
  readonly capabilities: ReadonlySet<Capability>;
  readonly tls?: TlsOptions;
  /** Sent with every request to it. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the user's credentials for the registry are for this host. */
  readonly authoritative: boolean;
  /** A mirror of several registries is told by `?ns=` whose repository is wanted. */
  readonly namespace?: string;
}

export const allCapabilities: ReadonlySet<Capability> = new Set(['pull', 'resolve', 'push']);
export const mirrorCapabilities: ReadonlySet<Capability> = new Set(['pull', 'resolve']);

/** The host that answers for a domain; only Docker Hub's is called otherwise. */
export const registryHostname = (domain: string): string => (domain === 'docker.io' ? 'registry-1.docker.io' : domain);

/** A URL below the host's base: `endpoint(host, 'library/x/tags/list')`. */
export function endpoint(
  host: RegistryHost,
  path: string,
  query: Readonly<Record<string, string | undefined>> = {},
): URL {
  const url = new URL(`${host.base.href.replace(/\/$/, '')}/${path}`);
  for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.append(key, value);
  if (host.namespace !== undefined) url.searchParams.set('ns', host.namespace);
  return url;
}

/** Where a host says that it is one, and what it wants: `https://registry-1.docker.io/v2/`. */
export const pingUrl = (host: RegistryHost): URL => new URL(`${host.base.href.replace(/\/$/, '')}/`);
