// What the build cache holds, as `buildx du` and `docker system df` show it, and what a prune gives back.

import type { BuildCacheRecord } from '../../api/index.ts';
import type { Builder, CachePolicy } from '../../build/index.ts';
import { directorySize } from '../volume/size.ts';

/** Short form of a key or a directory's name, as clients show it. */
const idOf = (name: string): string => name.replace('sha256:', '').slice(0, 25);

/** Steps and cache mounts. `mutable` ones are mounts. */
export async function cacheUsage(builder: Builder): Promise<(BuildCacheRecord & { readonly mutable: boolean })[]> {
  const steps = builder.cache.list().map(record => ({
    ID: idOf(record.key),
    Type: record.type,
    Description: record.description,
    InUse: builder.cache.isInUse(record.key),
    Shared: false,
    Size: record.sizeBytes,
    CreatedAt: record.createdAt,
    LastUsedAt: record.lastUsedAt,
    UsageCount: record.usageCount,
    mutable: false,
  }));
  const mounts = builder.cacheMounts().map(async mount => ({
    ID: idOf(mount.directory),
    Type: 'exec.cachemount',
    Description: `cached mount ${mount.id}`,
    InUse: mount.inUse,
    Shared: false,
    Size: await directorySize(mount.path).catch(() => 0), // removed meanwhile
    CreatedAt: mount.createdAt,
    LastUsedAt: mount.lastUsedAt,
    UsageCount: mount.usageCount,
    mutable: true,
  }));
  return [...steps, ...(await Promise.all(mounts))];
}

/** Drops what the policy says; ids as `cacheUsage` gives them, and bytes. */
export async function pruneCache(builder: Builder, policy: CachePolicy): Promise<{ id: string; sizeBytes: number }[]> {
  // A mount's size is only known by looking, and only before it goes.
  const sizes = new Map((await cacheUsage(builder)).map(record => [record.ID, record.Size]));
  return builder
    .prune(policy)
    .map(({ id, sizeBytes }) => ({ id: idOf(id), sizeBytes: sizes.get(idOf(id)) ?? sizeBytes }));
}
