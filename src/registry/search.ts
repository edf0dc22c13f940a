import { InvalidArgument } from '../errdefs/index.ts';
import type { AuthConfig } from './auth/config.ts';
import { basicAuthorization } from './auth/token.ts';
import type { Session } from './client/session.ts';
import type { Hosts } from './hosts/hosts.ts';
import { readJson, refusal } from './http/answer.ts';
import { retrying } from './http/retry.ts';

/** One line of `docker search`; Docker's spelling. */
export interface SearchEntry {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
  readonly is_automated: boolean;
}

export interface SearchResult {
  readonly query: string;
  readonly num_results: number;
  readonly results: readonly SearchEntry[];
}

const hubIndex = 'https://index.docker.io/v1/';
const maxResults = 100;

/** The first API's search, which Docker Hub and some others still answer. `host/term` asks that host. */
export async function search(
  options: { readonly term: string; readonly limit?: number; readonly auth?: AuthConfig },
  session: Session,
  hosts: Hosts,
  index = hubIndex,
): Promise<SearchResult> {
  const limit = options.limit === undefined || options.limit === 0 ? 25 : options.limit;
  if (limit < 1 || limit > maxResults) {
    throw new InvalidArgument(`limit ${limit} is outside the range of [1, ${maxResults}]`);
  }
  const { base, term, tls } = await target(options.term, hosts, index, session);
  const url = new URL('search', base);
  url.searchParams.set('q', term);
  url.searchParams.set('n', String(limit));
  const authorization = basicAuthorization(session.auth);
  const answer = await retrying(
    session.retry,
    async () => {
      const got = await session.transport.send({
        method: 'GET',
        url,
        headers: {
          ...session.headers,
          'x-docker-token': 'true',
          ...(authorization !== undefined && { authorization }),
        },
        ...(tls !== undefined && { tls }),
        signal: session.signal,
      });
      if (got.status === 200) return got;
      throw await refusal(got);
    },
    { signal: session.signal },
  );
  return parseResult(await readJson(answer, 'search result'), term, limit);
}

async function target(text: string, hosts: Hosts, index: string, session: Session) {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  // As splitReposSearchTerm: only what looks like a host is one.
  if (slash < 0 || !/[.:]|^localhost$/.test(first) || first === 'docker.io' || first === 'index.docker.io') {
    return {
      base: new URL(index),
      term: text.replace(/^(index\.)?docker\.io\//, '').replace(/^library\//, ''),
      tls: undefined,
    };
  }
  const able = await hosts.of(first, 'pull', session.signal);
  const host = able.find(candidate => candidate.authoritative) ?? able[0];
  return { base: new URL('/v1/', host?.base), term: text.slice(slash + 1), tls: host?.tls };
}

function parseResult(value: unknown, term: string, limit: number): SearchResult {
  const { results } = (value ?? {}) as { results?: unknown };
  if (!Array.isArray(results)) throw new InvalidArgument('search result has no list of results');
  const entries = results.slice(0, limit).map((entry: unknown): SearchEntry => {
    const fields = (entry ?? {}) as Record<string, unknown>;
    return {
      name: text(fields.name),
      description: text(fields.description),
      star_count: Number(fields.star_count) || 0,
      is_official: fields.is_official === true,
      // Docker Hub's automated builds are gone; the field stays for old clients.
      is_automated: fields.is_automated === true,
    };
  });
  return { query: term, num_results: entries.length, results: entries };
}

const text = (value: unknown): string =>
  typeof value === 'string' ? value.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '') : '';
