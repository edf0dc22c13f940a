// Credentials as clients send them: base64url JSON in request headers (engine API, "Authentication").

/** What a client knows for one registry; Docker's spelling. */
export interface AuthConfig {
  readonly username?: string;
  readonly password?: string;
  /** base64 of `username:password`, as config.json has it. */
  readonly auth?: string;
  readonly serveraddress?: string;
  /** A refresh token, in the password's place. */
  readonly identitytoken?: string;
  /** A bearer token, used as it is. */
  readonly registrytoken?: string;
}

const fields = ['username', 'password', 'auth', 'serveraddress', 'identitytoken', 'registrytoken'] as const;

/** Reads `X-Registry-Auth`. What cannot be decoded is no credentials, as in moby: the registry's own refusal then tells. */
export function decodeAuthHeader(header: string | undefined): AuthConfig {
  return header === undefined || header === '' ? {} : toAuthConfig(decode(header));
}

/** Reads `X-Registry-Config` (build): registry → credentials. */
export function decodeRegistryConfig(header: string | undefined): ReadonlyMap<string, AuthConfig> {
  const value = header === undefined || header === '' ? undefined : decode(header);
  if (typeof value !== 'object' || value === null) return new Map();
  return new Map(Object.entries(value).map(([host, auth]) => [registryKey(host), toAuthConfig(auth)]));
}

/** The registry's domain for a key of config.json, which for Docker Hub is a URL of its first API. */
export function registryKey(key: string): string {
  const host = key.replace(/^https?:\/\//i, '').split('/', 1)[0] as string;
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}

function decode(header: string): unknown {
  try {
    return JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Parsed credentials of unknown shape; fields that are no text are left out. */
export function toAuthConfig(value: unknown): AuthConfig {
  if (typeof value !== 'object' || value === null) return {};
  const config: Record<string, string> = {};
  for (const field of fields) {
    const text = (value as Record<string, unknown>)[field];
    if (typeof text === 'string' && text !== '') config[field] = text;
  }
  const { auth, ...rest } = config;
  if (auth === undefined || rest.username !== undefined) return rest;
  const plain = Buffer.from(auth, 'base64').toString('utf8');
  const colon = plain.indexOf(':');
  return colon < 0 ? rest : { ...rest, username: plain.slice(0, colon), password: plain.slice(colon + 1) };
}
