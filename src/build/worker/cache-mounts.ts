// RUN --mount=type=cache: directories that outlive builds, by id.

import { chmodSync, chownSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { digestHex, digestOf } from '../../oci/index.ts';
import type { BuildBackend } from '../backend.ts';

export interface CacheMountRecord {
  readonly id: string;
  /** Name of its directory. */
  readonly directory: string;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly usageCount: number;
}

export interface HeldCacheMount {
  readonly path: string;
  release(): void;
}

/** The cache directories of one engine, and who uses them now. */
export class CacheMounts {
  readonly #backend: BuildBackend;
  /** Directories in use, by name: exclusive ones have `locked`. */
  readonly #users = new Map<string, { count: number; locked: boolean }>();
  readonly #waiting: (() => void)[] = [];

  constructor(backend: BuildBackend) {
    this.#backend = backend;
  }

  /** Shared: with all others. Locked: waits until nobody else has it. Private: one of its own, a new one where all are taken. */
  async acquire(
    id: string,
    sharing: 'shared' | 'private' | 'locked',
    owner: { mode: number; uid: number; gid: number },
    signal: AbortSignal,
  ): Promise<HeldCacheMount> {
    let name = digestHex(digestOf(id));
    if (sharing === 'private') {
      const first = name;
      for (let n = 1; this.#users.has(name); n++) name = `${first}-${n}`;
    } else {
      while (this.#blocked(name, sharing === 'locked')) {
        signal.throwIfAborted();
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#waiting.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
        await promise;
      }
      signal.throwIfAborted();
    }
    const user = this.#users.get(name) ?? { count: 0, locked: sharing === 'locked' };
    user.count++;
    this.#users.set(name, user);
    const path = join(this.#backend.root, 'cache', name);
    if (!existsSync(path)) {
      mkdirSync(path, { recursive: true });
      chownSync(path, owner.uid, owner.gid);
      chmodSync(path, owner.mode);
    }
    this.#remember(id, name);
    let released = false;
    return {
      path,
      release: () => {
        if (released) return;
        released = true;
        if (--user.count === 0) this.#users.delete(name);
        for (const wake of this.#waiting.splice(0)) wake();
      },
    };
  }

  list(): (CacheMountRecord & { readonly inUse: boolean; readonly path: string })[] {
    return this.#records()
      .list()
      .map(({ value }) => ({
        ...value,
        inUse: this.#users.has(value.directory),
        path: join(this.#backend.root, 'cache', value.directory),
      }));
  }

  /** Drops the directory of a record that nobody uses. False where somebody does. */
  remove(directory: string): boolean {
    if (this.#users.has(directory)) return false;
    this.#records().delete(directory);
    rmSync(join(this.#backend.root, 'cache', directory), { recursive: true, force: true });
    return true;
  }

  #blocked(name: string, wantLock: boolean): boolean {
    const user = this.#users.get(name);
    return user !== undefined && (user.locked || wantLock);
  }

  #remember(id: string, directory: string): void {
    const records = this.#records();
    const before = records.get(directory);
    const now = new Date().toISOString();
    records.put(directory, {
      id,
      directory,
      createdAt: before?.createdAt ?? now,
      lastUsedAt: now,
      usageCount: (before?.usageCount ?? 0) + 1,
    });
  }

  #records() {
    return this.#backend.metadata.collection<CacheMountRecord>('build-cache-mounts');
  }
}

const byBackend = new WeakMap<BuildBackend, CacheMounts>();

/** The cache mounts of an engine: one object, since builds share them. */
export function cacheMountsOf(backend: BuildBackend): CacheMounts {
  let mounts = byBackend.get(backend);
  if (mounts === undefined) {
    mounts = new CacheMounts(backend);
    byBackend.set(backend, mounts);
  }
  return mounts;
}
