// Archives that are no layers: a build's context. The same care as with layers (nothing leaves the directory, bounds hold), in a
// worker thread; nothing is stored.

import { InvalidArgument } from '../../errdefs/index.ts';
import type { UnpackLimits } from './apply/limits.ts';
import type { WorkerPool } from './worker/pool.ts';

/** One archive being unpacked: plain, gzip, zstd. */
export interface Extraction {
  write(chunk: Uint8Array): Promise<void>;
  /** InvalidArgument for a damaged or hostile archive. */
  finish(): Promise<void>;
  /** Gives up; the directory is as it is. */
  drop(): Promise<void>;
}

/** Begins to unpack into a directory, which is empty. */
export type Extract = (directory: string) => Promise<Extraction>;

export const extractor =
  (workers: WorkerPool, limits: UnpackLimits): Extract =>
  async directory => {
    const session = await workers.open({ directory, limits });
    return {
      write: chunk => session.write(chunk),
      finish: async () => {
        const [link] = (await session.end()).unpacked!.deferredLinks;
        if (link !== undefined)
          throw new InvalidArgument(`"${link.path}" is a link to "${link.target}", which is not in the archive`);
      },
      drop: () => session.close(),
    };
  };
