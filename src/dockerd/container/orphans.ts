// What a daemon that was killed in the middle of a create or a remove leaves behind: a root file system or a directory without a record.

import { readdir, rm } from 'node:fs/promises';
import { containerDirectory } from './paths.ts';
import type { ContainerServices } from './services.ts';

/** On the snapshot of a container: whose it is. */
export const containerLabel = 'berth.container';

/** Removes what belongs to no container; at the daemon's start, when nothing is being made. */
export async function removeOrphans(services: ContainerServices): Promise<void> {
  const { store, snapshotter, log, config } = services;
  const isOrphan = (id: string): boolean => store.byId(id) === undefined;
  for (const { key, kind, labels } of await snapshotter.list()) {
    const owner = labels[containerLabel];
    if (kind !== 'active' || owner === undefined || !isOrphan(owner)) continue;
    await snapshotter.remove(key).catch(err => log.warn('could not remove an orphaned snapshot', { key, err }));
  }
  for (const id of await readdir(`${config.dataRoot}/containers`)) {
    if (!/^[0-9a-f]{64}$/.test(id) || !isOrphan(id)) continue;
    services.removeSharedShm(id);
    await rm(containerDirectory(config.dataRoot, id), { recursive: true, force: true });
  }
}
