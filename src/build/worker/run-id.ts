// Ids of RUN steps: they name the step's task and its active snapshot, and tell both apart from those of containers.

import { randomBytes } from 'node:crypto';
import type { Snapshotter } from '../../containerd/index.ts';

const prefix = 'build-';

export const newRunId = (): string => prefix + randomBytes(13).toString('hex').slice(1);

/** Drops what steps left whose engine was killed. Before the first build. */
export async function sweepRuns(snapshotter: Snapshotter): Promise<void> {
  for (const { key, kind } of await snapshotter.list()) {
    if (kind !== 'committed' && key.startsWith(prefix)) await snapshotter.remove(key);
  }
}
