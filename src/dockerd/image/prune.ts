// POST /images/prune (moby daemon/containerd/image_prune.go).

import type { Filters, ImageDeleteItem, ImagesPruneReport } from '../../api/index.ts';
import type { ImageDeps } from './deps.ts';
import { hasLabel } from './list.ts';
import { bestManifest, listManifests } from './manifests.ts';
import { listTargets, type NamedTarget } from './names.ts';
import { removeUnused } from './remove.ts';
import { parseUntil } from './until.ts';

export async function pruneImages(deps: ImageDeps, filters: Filters): Promise<ImagesPruneReport> {
  filters.validate(['dangling', 'label', 'label!', 'until']);
  const danglingOnly = filters.bool('dangling', true);
  const until = filters.get('until').map(text => parseUntil(text));
  const used = new Set(deps.users().map(user => user.imageId));
  const items: ImageDeleteItem[] = [];
  for (const named of listTargets(deps.containerd.images)) {
    if (used.has(named.id) || (danglingOnly && named.names.length > 0)) continue;
    if (await isWanted(deps, named, filters, until)) items.push(...removeUnused(deps, { ...named, name: undefined }));
  }
  const { reclaimedBytes } = await deps.containerd.gc.collect();
  return { ImagesDeleted: items.length === 0 ? null : items, SpaceReclaimed: reclaimedBytes };
}

async function isWanted(
  { containerd }: ImageDeps,
  named: NamedTarget,
  filters: Filters,
  until: readonly Date[],
): Promise<boolean> {
  const best = bestManifest(await listManifests(containerd, named.target).catch(() => []));
  const labels = best?.config.config?.Labels;
  const created = new Date(best?.config.created ?? 0);
  return (
    until.every(limit => created < limit) &&
    filters.labels('label', labels) &&
    !filters.get('label!').some(label => hasLabel(labels, label))
  );
}
