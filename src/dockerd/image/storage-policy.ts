// Keeps the image store under a size, or a part of the disk free, by removing what was used least recently. Docker has nothing of
// the kind for images; it is off unless asked for.

import { statfsSync } from 'node:fs';
import type { ImageDeleteItem } from '../../api/index.ts';
import type { ImageDeps } from './deps.ts';
import { imageDiskUsage } from './disk-usage.ts';
import { listTargets, type NamedTarget } from './names.ts';
import { removeUnused } from './remove.ts';

export interface StorageLimits {
  /** Of blobs and unpacked layers together. */
  readonly maxBytes?: number;
  /** Of the file system that holds them. */
  readonly minFreeBytes?: number;
  /** Whatever was named or used within this time stays: someone may be about to run it. Default: ten minutes. */
  readonly minAgeMs?: number;
}

interface Use {
  readonly usedAt: number;
}

const everyMs = 3600 * 1000;
/** Uses closer together than this are one: a use must not cost a write each time. */
const touchEveryMs = 60_000;

export class StoragePolicy implements Disposable {
  readonly #deps: ImageDeps;
  readonly #limits: StorageLimits;
  readonly #uses;
  readonly #touched = new Map<string, number>();
  readonly #timer: NodeJS.Timeout | undefined;
  #running: Promise<ImageDeleteItem[]> | undefined;

  constructor(deps: ImageDeps, limits: StorageLimits) {
    this.#deps = deps;
    this.#limits = limits;
    this.#uses = deps.containerd.metadata.collection<Use>('image-use');
    if (!this.#isOn) return;
    this.#timer = setInterval(() => void this.enforce().catch(() => {}), everyMs);
    this.#timer.unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  get #isOn(): boolean {
    return this.#limits.maxBytes !== undefined || this.#limits.minFreeBytes !== undefined;
  }

  /** A container is made of the image: its turn comes later. */
  used(id: string): void {
    if (!this.#isOn) return;
    const now = Date.now();
    if (now - (this.#touched.get(id) ?? 0) < touchEveryMs) return;
    this.#touched.set(id, now);
    this.#uses.put(id, { usedAt: now });
  }

  /** Removes images that no container is made of, the least recently used first, until the limits hold. Concurrent calls share a run. */
  enforce(): Promise<ImageDeleteItem[]> {
    if (!this.#isOn) return Promise.resolve([]);
    this.#running ??= this.#enforce().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #enforce(): Promise<ImageDeleteItem[]> {
    const removed: ImageDeleteItem[] = [];
    const candidates = this.#candidates();
    while (await this.#isOver()) {
      const next = candidates.shift();
      if (next === undefined) break;
      removed.push(...removeUnused(this.#deps, { ...next, name: undefined }));
      this.#uses.delete(next.id);
      await this.#deps.containerd.gc.collect();
    }
    return removed;
  }

  /** Least recently used first. */
  #candidates(): NamedTarget[] {
    const busy = new Set(this.#deps.users().map(user => user.imageId));
    const latest = Date.now() - (this.#limits.minAgeMs ?? 600_000);
    return listTargets(this.#deps.containerd.images)
      .map(named => ({ named, at: this.#lastUse(named) }))
      .filter(({ named, at }) => !busy.has(named.id) && at <= latest)
      .sort((a, b) => a.at - b.at)
      .map(({ named }) => named);
  }

  #lastUse({ id, all }: NamedTarget): number {
    return Math.max(this.#uses.get(id)?.usedAt ?? 0, ...all.map(image => image.updatedAt.getTime()));
  }

  async #isOver(): Promise<boolean> {
    const { maxBytes, minFreeBytes } = this.#limits;
    if (minFreeBytes !== undefined) {
      const { bavail, bsize } = statfsSync(this.#deps.containerd.root);
      if (bavail * bsize < minFreeBytes) return true;
    }
    return maxBytes !== undefined && (await imageDiskUsage(this.#deps)).layersSize > maxBytes;
  }
}
