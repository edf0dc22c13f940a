import { InvalidArgument, isNotFound } from '../../errdefs/index.ts';
import { type Descriptor, type Digest, mediaTypes, parseManifest } from '../../oci/index.ts';
import { header, readBody, refusal } from '../http/answer.ts';
import { retrying } from '../http/retry.ts';
import { getManifest, manifestMaxBytes } from './manifests.ts';
import type { Repository } from './repository.ts';
import { nextPage, type Page } from './tags.ts';

const maxPages = 100;

/** Manifests whose subject is `digest` (distribution-spec, "Listing Referrers"), by the fallback tag on registries without the endpoint. */
export async function listReferrers(
  repository: Repository,
  digest: Digest,
  artifactType?: string,
): Promise<Descriptor[]> {
  const found: Descriptor[] = [];
  let page: Page | undefined = {
    path: `referrers/${digest}`,
    ...(artifactType !== undefined && { query: { artifactType } }),
  };
  for (let count = 0; page !== undefined; count++) {
    if (count === maxPages) throw new InvalidArgument(`${repository.host.base.host} lists referrers without an end`);
    const asked: Page = page;
    const answer = await retrying(
      repository.session.retry,
      async () => {
        const got = await repository.send({ method: 'GET', ...asked, headers: { accept: mediaTypes.ociIndex } });
        if (got.status === 200 || got.status === 404 || got.status === 400) return got;
        throw await refusal(got);
      },
      { signal: repository.session.signal },
    );
    const type = header(answer, 'content-type')?.split(';', 1)[0]?.trim();
    if (answer.status !== 200 || type !== mediaTypes.ociIndex) {
      answer.body.resume();
      return ofType(await fallback(repository, digest), artifactType);
    }
    found.push(...entries(await readBody(answer, manifestMaxBytes, 'referrers')));
    page = nextPage(answer, repository);
  }
  // A registry that does not filter sends all.
  return ofType(found, artifactType);
}

/** The tag under which clients keep the list themselves: `sha256-<hex>`. */
export const referrersTag = (digest: Digest): string => digest.replace(':', '-');

async function fallback(repository: Repository, digest: Digest): Promise<readonly Descriptor[]> {
  try {
    const { bytes, descriptor } = await getManifest(repository, referrersTag(digest));
    return descriptor.mediaType === mediaTypes.ociIndex ? entries(bytes) : [];
  } catch (err) {
    if (isNotFound(err)) return [];
    throw err;
  }
}

function entries(bytes: Uint8Array): readonly Descriptor[] {
  const parsed = parseManifest(bytes, mediaTypes.ociIndex);
  return parsed.kind === 'index' ? parsed.index.manifests : [];
}

const ofType = (found: readonly Descriptor[], artifactType: string | undefined): Descriptor[] =>
  found.filter(entry => artifactType === undefined || entry.artifactType === artifactType);
