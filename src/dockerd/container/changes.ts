// GET /containers/{id}/changes: what a container changed in its root (docker diff). Its upper directory holds the changes and nothing else.

import { lstatSync, readdirSync, type Stats } from 'node:fs';
import path from 'node:path';
import { changeKinds, type FilesystemChange } from '../../api/index.ts';
import { isOpaque, type MergedView, openMergedView } from '../../containerd/index.ts';
import { native } from '../../launcher/index.ts';
import type { Container } from './container.ts';
import { type ContainerServices, layersOf } from './services.ts';

/** Directories between two breaths for the event loop. */
const batch = 200;

/** Sorted by path; the engine's own files are no changes. */
export async function changesOf(services: ContainerServices, container: Container): Promise<FilesystemChange[] | null> {
  const [upper, ...lower] = layersOf(await services.snapshotter.mounts(container.id));
  if (upper === undefined || lower.length === 0) return null;
  using below = openMergedView(lower);
  const walk = new ChangeWalk(upper, below);
  await walk.directory('');
  return walk.changes.sort((a, b) => (a.Path < b.Path ? -1 : 1));
}

class ChangeWalk {
  readonly changes: FilesystemChange[] = [];
  readonly #upper: string;
  readonly #below: MergedView;
  #seen = 0;

  constructor(upper: string, below: MergedView) {
    this.#upper = upper;
    this.#below = below;
  }

  /** Whether something below has changed. */
  async directory(relative: string): Promise<boolean> {
    if (++this.#seen % batch === 0) await new Promise(setImmediate);
    let changed = false;
    for (const name of readdirSync(path.join(this.#upper, relative))) {
      const child = relative === '' ? name : `${relative}/${name}`;
      const stat = lstatSync(path.join(this.#upper, child), { throwIfNoEntry: false });
      if (stat === undefined) continue;
      if (await this.#entry(child, stat)) changed = true;
    }
    return changed;
  }

  async #entry(relative: string, stat: Stats): Promise<boolean> {
    const own = `/${relative}`;
    if (stat.isCharacterDevice() && stat.rdev === 0) {
      this.changes.push({ Path: own, Kind: changeKinds.deleted });
      return true;
    }
    const before = this.#below.lookup(relative, { followLast: false });
    if (!stat.isDirectory()) {
      this.changes.push({ Path: own, Kind: before === undefined ? changeKinds.added : changeKinds.modified });
      return true;
    }
    const at = this.changes.length;
    const inside = await this.directory(relative);
    if (before === undefined) {
      this.changes.splice(at, 0, { Path: own, Kind: changeKinds.added });
      return true;
    }
    const touched =
      before.stat.mtimeSec * 1000 + before.stat.mtimeNsec / 1e6 !== stat.mtimeMs || before.stat.mode !== stat.mode;
    if (!inside && !touched && !this.#isOpaque(relative)) return false;
    this.changes.splice(at, 0, { Path: own, Kind: changeKinds.modified });
    return true;
  }

  #isOpaque(relative: string): boolean {
    const fd = native().openat2(-100, path.join(this.#upper, relative), 0o10000000, 0, 0);
    try {
      return isOpaque(fd);
    } finally {
      native().close(fd);
    }
  }
}
