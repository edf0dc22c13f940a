// What an active snapshot changed, path by path: `docker diff`.

import { closeSync, readdirSync } from 'node:fs';
import { native } from '../../../launcher/index.ts';
import { MergedView } from '../../snapshots/overlay/merged-view.ts';
import { atSymlinkNoFollow, isDirectory, isWhiteout, openFlags } from '../apply/posix.ts';
import { decodeName, encodeName } from '../tar/name.ts';
import { inSlices } from '../worker/slices.ts';

export interface Change {
  /** From the root, with a leading slash. */
  readonly path: string;
  readonly kind: 'modified' | 'added' | 'deleted';
}

/** Walks the upper directory of overlayfs; `lower` are the layers below, topmost first. By path. */
export async function listChanges(upper: string, lower: readonly string[]): Promise<Change[]> {
  const changes: Change[] = [];
  using below = lower.length === 0 ? undefined : new MergedView(lower);
  const flags = openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_NOFOLLOW;
  const root = native().openat2(-100, upper, flags, 0, 0);
  const walk = function* (fd: number, path: string): Generator<void, void> {
    const names = readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' }).map(decodeName).sort();
    for (const name of names) {
      const child = `${path}/${name}`;
      const stat = native().statx(fd, encodeName(name), atSymlinkNoFollow);
      const known = below?.lookup(child, { followLast: false }) !== undefined;
      if (isWhiteout(stat)) {
        if (known) changes.push({ path: child, kind: 'deleted' });
        continue;
      }
      changes.push({ path: child, kind: known ? 'modified' : 'added' });
      yield;
      if (!isDirectory(stat.mode)) continue;
      const inner = native().openat2(fd, encodeName(name), flags, 0, 0);
      try {
        yield* walk(inner, child);
      } finally {
        closeSync(inner);
      }
    }
  };
  try {
    await inSlices(walk(root, ''));
  } finally {
    closeSync(root);
  }
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}
