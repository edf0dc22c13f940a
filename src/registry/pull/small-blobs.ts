import { DataLoss, ResourceExhausted } from '../../errdefs/index.ts';
import { type Descriptor, digestOf } from '../../oci/index.ts';
import { fetchBlob } from '../client/blobs.ts';
import type { Repository } from '../client/repository.ts';
import { retrying } from '../http/retry.ts';
import type { BlobStore } from '../store.ts';
import { sourceLabels } from './labels.ts';

/** An image's config is read into memory: no more than this. */
export const configMaxBytes = 8 << 20;

/** A small blob by its descriptor, from the store or else from the first host that has it; verified, and stored. */
export async function smallBlob(
  repositories: readonly Repository[],
  domain: string,
  descriptor: Descriptor,
  content: BlobStore,
): Promise<Uint8Array> {
  const { digest, size } = descriptor;
  if (size > configMaxBytes)
    throw new ResourceExhausted(`${descriptor.mediaType} ${digest} has ${size} bytes, more than ${configMaxBytes}`);
  const known = await content.info(digest);
  if (known !== undefined) {
    await content.label?.(digest, sourceLabels(known.labels, domain, repositories[0]?.path ?? ''));
    return content.readBlob(digest, configMaxBytes);
  }
  let failure: unknown;
  for (const repository of repositories) {
    try {
      const bytes = await fetchSmall(repository, descriptor);
      await content.writeBlob(bytes, { labels: sourceLabels(undefined, domain, repository.path) });
      return bytes;
    } catch (err) {
      repository.session.signal?.throwIfAborted();
      failure = err;
    }
  }
  throw failure;
}

function fetchSmall(repository: Repository, descriptor: Descriptor): Promise<Uint8Array> {
  return retrying(
    repository.session.retry,
    async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of fetchBlob(repository, descriptor, 0)) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      const got = digestOf(bytes);
      if (got !== descriptor.digest) {
        throw new DataLoss(`blob verification failed for digest ${descriptor.digest}: the registry sent ${got}`);
      }
      return bytes;
    },
    { signal: repository.session.signal },
  );
}
