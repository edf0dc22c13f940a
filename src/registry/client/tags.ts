import { InvalidArgument } from '../../errdefs/index.ts';
import { header, readJson } from '../http/answer.ts';
import type { HttpAnswer } from '../http/transport.ts';
import { isTag } from '../reference/reference.ts';
import type { Repository } from './repository.ts';

const pageSize = '1000';
const maxPages = 1_000;

/** All tags, page by page (distribution-spec, "Listing Tags"). */
export async function listTags(repository: Repository): Promise<string[]> {
  const tags: string[] = [];
  let page: Page | undefined = { path: 'tags/list', query: { n: pageSize } };
  for (let count = 0; page !== undefined; count++) {
    if (count === maxPages) throw new InvalidArgument(`${repository.host.base.host} lists tags without an end`);
    const answer: HttpAnswer = await repository.request({ method: 'GET', ...page }, [200]);
    const body = ((await readJson(answer, 'tag list')) ?? {}) as { tags?: unknown };
    // null where all tags were deleted.
    const listed = Array.isArray(body.tags) ? body.tags : [];
    tags.push(...listed.filter(tag => typeof tag === 'string' && isTag(tag)));
    page = nextPage(answer, repository);
  }
  return tags;
}

export interface Page {
  readonly path: string | URL;
  readonly query?: Readonly<Record<string, string>>;
}

/** `Link: </v2/x/tags/list?last=b&n=1>; rel="next"`; only on the same host. */
export function nextPage(answer: HttpAnswer, repository: Repository): Page | undefined {
  const link = /<([^>]*)>\s*;[^,]*rel="?next"?/.exec(header(answer, 'link') ?? '')?.[1];
  if (link === undefined || !URL.canParse(link, answer.url.href)) return undefined;
  const url = new URL(link, answer.url.href);
  if (url.host !== repository.host.base.host) return undefined;
  // Registries behind a proxy write http where they are asked by https.
  url.protocol = repository.host.base.protocol;
  return { path: url };
}
