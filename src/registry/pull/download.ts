import type { Descriptor } from '../../oci/index.ts';
import { fetchBlob } from '../client/blobs.ts';
import type { Repository } from '../client/repository.ts';
import { retrying } from '../http/retry.ts';
import type { BlobWriter } from '../store.ts';

/** The store refused bytes that the network brought: no other host helps. */
export class WriteFailure extends Error {}

export interface DownloadOptions {
  readonly onProgress?: (current: number, total: number) => void;
  readonly onRetry?: (seconds: number) => void;
  readonly signal?: AbortSignal | undefined;
}

const progressEveryMs = 100;

/**
 * Brings the rest of a blob into the writer: resumed by Range where a connection breaks, from the next host where one gives up.
 * Throws the last host's failure, or WriteFailure.
 */
export async function download(
  repositories: readonly Repository[],
  descriptor: Descriptor,
  writer: BlobWriter,
  options: DownloadOptions = {},
): Promise<void> {
  const { signal, onRetry } = options;
  const progress = throttled(options.onProgress, descriptor.size);
  let failure: unknown;
  for (const repository of repositories) {
    try {
      return await retrying(
        repository.session.retry,
        async () => {
          if (writer.offset === descriptor.size) return;
          for await (const chunk of fetchBlob(repository, descriptor, writer.offset)) {
            await writer.write(chunk).catch(cause => {
              throw new WriteFailure('write', { cause });
            });
            progress(writer.offset);
          }
        },
        {
          signal,
          progress: () => writer.offset,
          ...(onRetry !== undefined && { onRetry: delayMs => onRetry(Math.ceil(delayMs / 1000)) }),
        },
      );
    } catch (err) {
      signal?.throwIfAborted();
      if (err instanceof WriteFailure) throw err;
      failure = err;
    }
  }
  throw failure;
}

/** Tells the first step and then no more often than anyone can see. */
function throttled(tell: DownloadOptions['onProgress'], total: number): (current: number) => void {
  if (tell === undefined) return () => {};
  let next = 0;
  return current => {
    const now = performance.now();
    if (now < next) return;
    next = now + progressEveryMs;
    tell(current, total);
  };
}
