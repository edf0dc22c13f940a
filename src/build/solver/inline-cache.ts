// The build cache inside an image: its config says which steps its layers are the results of. Another engine that has the image
// need not run them again. Keys are made of contents, so they mean the same everywhere.

import type { ImageConfig } from '../../oci/index.ts';
import type { BuildCache } from './cache.ts';
import type { Ref, RefLayer } from './ref.ts';

/** Field of the image's config. */
export const inlineCacheKey = 'berth.buildcache.v0';
/** More than any Dockerfile has. */
const maxEntries = 10_000;

export interface InlineCacheEntry {
  readonly key: string;
  /** How many of the image's layers, from the lowest, are the step's result. */
  readonly layers: number;
  readonly description: string;
  readonly createdAt?: string;
}

/** The records whose results are among a result's layers. */
export function inlineCacheOf(cache: BuildCache, ref: Ref): InlineCacheEntry[] {
  const wanted = ref.layers.map(layer => layer.diffId);
  return cache
    .list()
    .filter(({ layers }) => layers.length > 0 && layers.every(({ diffId }, i) => diffId === wanted[i]))
    .map(({ key, layers, description }) => {
      const createdAt = layers.at(-1)!.createdAt;
      return { key, layers: layers.length, description, ...(createdAt !== undefined && { createdAt }) };
    });
}

/**
 * What an image's config says, as results by key; `layers` are the image's. It holds for the build that asked for it and goes into
 * no other's cache: who wrote it is not known. What is no entry is passed over.
 */
export function importInlineCache(config: ImageConfig, layers: readonly RefLayer[]): Map<string, Ref> {
  const results = new Map<string, Ref>();
  const given: unknown = (config as unknown as Record<string, unknown>)[inlineCacheKey];
  if (!Array.isArray(given)) return results;
  const entries = (given as unknown[]).slice(0, maxEntries).filter(isEntry);
  const times = new Map(entries.map(({ layers: count, createdAt }) => [count, createdAt]));
  const timed = layers.map((layer, i) => {
    const createdAt = times.get(i + 1);
    return createdAt === undefined ? layer : { ...layer, createdAt };
  });
  for (const { key, layers: count } of entries) {
    if (count <= timed.length) results.set(key, { layers: timed.slice(0, count) });
  }
  return results;
}

function isEntry(value: unknown): value is InlineCacheEntry {
  const { key, layers, description, createdAt } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof key === 'string' &&
    /^sha256:[0-9a-f]{64}$/.test(key) &&
    Number.isInteger(layers) &&
    (layers as number) > 0 &&
    typeof description === 'string' &&
    (createdAt === undefined || (typeof createdAt === 'string' && !Number.isNaN(Date.parse(createdAt))))
  );
}
