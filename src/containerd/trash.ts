// Removal that nobody waits for: a tree is renamed away at once and deleted by a worker later, at the latest after a restart.

import { lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { WorkerPool } from './differ/worker/pool.ts';

/** Lets a burst of removals, and the answer to who asked for one, go first. */
const delayMs = 50;

export class Trash {
  readonly #root: string;
  readonly #workers: WorkerPool;
  #next = 0;
  #emptying: Promise<void> | undefined;

  constructor(root: string, workers: WorkerPool) {
    this.#root = root;
    this.#workers = workers;
    mkdirSync(root, { recursive: true, mode: 0o700 });
  }

  /** Renames the tree away; nothing happens where there is none. */
  take(path: string): void {
    try {
      renameSync(path, join(this.#root, `${Date.now()}.${process.pid}.${this.#next++}`));
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code !== 'ENOENT') throw err;
    }
  }

  /** Starts deleting what is in the trash. */
  empty(): void {
    this.#emptying ??= this.#empty()
      .catch(() => {}) // What could not be deleted (a mount, a closing store) is tried again at the next start.
      .finally(() => {
        this.#emptying = undefined;
      });
  }

  async emptied(): Promise<void> {
    while (this.#emptying !== undefined) await this.#emptying;
  }

  async #empty(): Promise<void> {
    await setTimeout(delayMs);
    for (let names = readdirSync(this.#root); names.length > 0; names = readdirSync(this.#root)) {
      for (const name of names) {
        const path = join(this.#root, name);
        if (!removeSmall(path)) await this.#workers.run({ kind: 'remove', path });
      }
    }
  }
}

/** A container rarely wrote more than this many files: they are gone faster than a worker starts. */
const smallEntries = 100;
const smallBytes = 4 << 20;

/** Removes a tree on this thread if it is small; otherwise begins, and answers false. */
function removeSmall(root: string): boolean {
  let left = smallEntries;
  const remove = (path: string): boolean => {
    const entries = readdirSync(path, { withFileTypes: true });
    left -= entries.length;
    if (left < 0) return false;
    for (const entry of entries) {
      const child = join(path, entry.name);
      if (!entry.isDirectory()) unlinkSync(child);
      else if (!remove(child)) return false;
    }
    rmdirSync(path);
    return true;
  };
  try {
    const stat = lstatSync(root);
    if (!stat.isDirectory()) {
      if (stat.size > smallBytes) return false;
      unlinkSync(root);
      return true;
    }
    return remove(root);
  } catch {
    // Names that are not UTF-8, say: the worker takes care.
    return false;
  }
}
