import { isCanceled } from '../../errdefs/index.ts';
import type { Digest } from '../../oci/index.ts';
import { type FetchedManifest, getManifest, headManifest } from '../client/manifests.ts';
import type { Repository } from '../client/repository.ts';
import type { Reference } from '../reference/reference.ts';
import { pullFailure } from './words.ts';

/** What a reference is asked by: the digest decides where there is one. */
export const tagOrDigest = (ref: Reference): string => ref.digest ?? ref.tag ?? 'latest';

/** Where the store has the manifest, its bytes. */
export type LookUp = (digest: Digest) => Promise<Uint8Array | undefined>;

/**
 * The manifest that a reference names, from the first host that answers. A tag is asked by HEAD first: when the store has what it
 * names, that is all (registries count GETs). The failure told is the last host's, which is the registry itself.
 */
export async function resolveManifest(
  repositories: readonly Repository[],
  ref: Reference,
  lookUp: LookUp,
): Promise<{ manifest: FetchedManifest; repositories: readonly Repository[] }> {
  let failure: unknown;
  for (const [index, repository] of repositories.entries()) {
    const { session, host } = repository;
    try {
      await session.authorizer.ping(host, session.signal);
      const manifest = await manifestFrom(repository, tagOrDigest(ref), lookUp);
      // Who has the manifest has the blobs; the others stay as a last resort.
      return { manifest, repositories: [...repositories.slice(index), ...repositories.slice(0, index)] };
    } catch (err) {
      session.signal?.throwIfAborted();
      if (isCanceled(err)) throw err;
      failure = err;
    }
  }
  throw pullFailure(failure, ref);
}

async function manifestFrom(repository: Repository, name: string, lookUp: LookUp): Promise<FetchedManifest> {
  const descriptor = await headManifest(repository, name);
  const bytes = descriptor === undefined ? undefined : await lookUp(descriptor.digest);
  if (descriptor !== undefined && bytes?.byteLength === descriptor.size) return { descriptor, bytes };
  // By digest, so that a tag moved meanwhile cannot mix two images.
  return getManifest(repository, descriptor?.digest ?? name);
}
