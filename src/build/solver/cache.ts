// The build cache: what was made, by the key of what it was made from. A record keeps its blobs and snapshots from the garbage
// collector by a lease of its own, so cached steps outlive the images that they were made for.

import type { Collection, Leases } from '../../containerd/index.ts';
import { isAlreadyExists, isNotFound } from '../../errdefs/index.ts';
import { type Ref, type RefLayer, snapshotOf } from './ref.ts';

/** One finished step. Times are ISO 8601. */
export interface CacheRecord {
  readonly key: string;
  readonly layers: readonly RefLayer[];
  /** What the step was, for `buildx du`. */
  readonly description: string;
  readonly type: 'regular' | 'source.local' | 'exec.cachemount' | 'frontend';
  /** Bytes of the layer that this step added. */
  readonly sizeBytes: number;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly usageCount: number;
  readonly parent?: string;
  /** The parts the key was made of, so that a miss can be explained. */
  readonly parts: Readonly<Record<string, string>>;
}

/** What a sweep of the cache is to leave. */
export interface CachePolicy {
  /** Also what is in use by nothing but young. */
  readonly all?: boolean;
  /** Keep at most so many bytes, dropping the least recently used. */
  readonly keepBytes?: number;
  /** Drop what was last used before. */
  readonly until?: Date;
}

export class BuildCache {
  readonly #records: Collection<CacheRecord>;
  readonly #leases: Leases;
  readonly #exists: (chainId: string) => Promise<boolean>;
  /** Keys that a running build relies on: a sweep leaves them. */
  readonly #inUse = new Map<string, number>();

  constructor(records: Collection<CacheRecord>, leases: Leases, exists: (chainId: string) => Promise<boolean>) {
    this.#records = records;
    this.#leases = leases;
    this.#exists = exists;
  }

  /** The record of a key, where its snapshot is still there. */
  async find(key: string): Promise<Ref | undefined> {
    const record = this.#records.get(key);
    if (record === undefined) return undefined;
    const snapshot = snapshotOf(record);
    if (snapshot !== '' && !(await this.#exists(snapshot))) {
      this.#drop(key);
      return undefined;
    }
    this.#records.put(key, { ...record, lastUsedAt: new Date().toISOString(), usageCount: record.usageCount + 1 });
    return { layers: record.layers };
  }

  /** Keeps a result. The caller still holds its blobs and snapshot by a lease of its own. */
  add(record: Omit<CacheRecord, 'createdAt' | 'lastUsedAt' | 'usageCount'>): void {
    const now = new Date().toISOString();
    const lease = leaseOf(record.key);
    try {
      this.#leases.create({ id: lease, expiresAt: new Date('9999-12-31T00:00:00Z') });
    } catch (err) {
      if (!isAlreadyExists(err)) throw err;
    }
    for (const layer of record.layers)
      this.#leases.addResource(lease, { type: 'content', id: layer.descriptor.digest });
    const snapshot = snapshotOf(record);
    if (snapshot !== '') this.#leases.addResource(lease, { type: 'snapshot', id: snapshot });
    this.#records.put(record.key, { ...record, createdAt: now, lastUsedAt: now, usageCount: 1 });
  }

  list(): CacheRecord[] {
    return this.#records.list().map(({ value }) => value);
  }

  isInUse(key: string): boolean {
    return this.#inUse.has(key);
  }

  /** Keeps a key from sweeps while the scope lasts. */
  hold(key: string): Disposable {
    this.#inUse.set(key, (this.#inUse.get(key) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#inUse.get(key) ?? 1) - 1;
        if (left === 0) this.#inUse.delete(key);
        else this.#inUse.set(key, left);
      },
    };
  }

  /** Why `key`, made of `parts`, has no record: the part that differs from the newest record of the same step. */
  explainMiss(description: string, parts: Readonly<Record<string, string>>): string {
    const like = this.list()
      .filter(record => record.description === description)
      .toSorted((a, b) => b.lastUsedAt.localeCompare(a.lastUsedAt))[0];
    if (like === undefined) return 'this step was never run, or its result was pruned';
    const differing = Object.keys(parts).filter(part => parts[part] !== like.parts[part]);
    return differing.length === 0 ? 'its result was pruned' : `changed since the last run: ${differing.join(', ')}`;
  }

  /** Drops records by policy, least recently used first; what they kept is the collector's next. Answers what was dropped. */
  prune(policy: CachePolicy): CacheRecord[] {
    const dropped: CacheRecord[] = [];
    let total = this.list().reduce((sum, record) => sum + record.sizeBytes, 0);
    for (const record of this.list().toSorted((a, b) => a.lastUsedAt.localeCompare(b.lastUsedAt))) {
      if (this.#inUse.has(record.key)) continue;
      const old = policy.until !== undefined && record.lastUsedAt < policy.until.toISOString();
      const over = policy.keepBytes !== undefined && total > policy.keepBytes;
      const every = policy.until === undefined && policy.keepBytes === undefined;
      if (!old && !over && !every) continue;
      this.#drop(record.key);
      total -= record.sizeBytes;
      dropped.push(record);
    }
    return dropped;
  }

  #drop(key: string): void {
    this.#records.delete(key);
    try {
      this.#leases.delete(leaseOf(key));
    } catch (err) {
      if (!isNotFound(err)) throw err;
    }
  }
}

const leaseOf = (key: string): string => `build-cache-${key}`;
