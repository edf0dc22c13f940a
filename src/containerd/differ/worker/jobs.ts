// What a worker does besides layers: work on whole trees, in slices, since layers are unpacked on the same thread meanwhile.

import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import type { Usage } from '../../snapshots/snapshotter.ts';
import { settle } from '../apply/settle.ts';
import { type Diffed, writeDiff } from '../diff/write-diff.ts';
import type { Job } from './protocol.ts';
import { inSlices } from './slices.ts';

export async function runJob(job: Job): Promise<Usage | Diffed | undefined> {
  switch (job.kind) {
    case 'settle':
      settle(job);
      return undefined;
    case 'remove':
      if (lstatSync(job.path, { throwIfNoEntry: false })?.isDirectory() === false) unlinkSync(job.path);
      else await inSlices(removeTree(Buffer.from(job.path)));
      return undefined;
    case 'usage': {
      const usage = { sizeBytes: 0, inodes: 0 };
      await inSlices(walkUsage(Buffer.from(job.path), usage, new Set()));
      return usage;
    }
    case 'diff':
      return await inSlices(writeDiff(job));
  }
}

/** Removes a tree that was renamed away. Links are removed, not followed; what is gone already is fine. */
function* removeTree(path: Buffer): Generator<void> {
  for (const entry of ignoreMissing(() => readdirSync(path, { withFileTypes: true, encoding: 'buffer' })) ?? []) {
    const child = joinBytes(path, entry.name);
    if (entry.isDirectory()) yield* removeTree(child);
    else ignoreMissing(() => unlinkSync(child));
    yield;
  }
  ignoreMissing(() => rmdirSync(path));
}

/** What `du` says: blocks, each inode once. */
function* walkUsage(path: Buffer, usage: { sizeBytes: number; inodes: number }, seen: Set<number>): Generator<void> {
  const stat = ignoreMissing(() => lstatSync(path));
  if (stat === undefined) return;
  if (stat.nlink > 1 && !stat.isDirectory()) {
    if (seen.has(stat.ino)) return;
    seen.add(stat.ino);
  }
  usage.sizeBytes += stat.blocks * 512;
  usage.inodes++;
  yield;
  if (!stat.isDirectory()) return;
  for (const name of ignoreMissing(() => readdirSync(path, { encoding: 'buffer' })) ?? []) {
    yield* walkUsage(joinBytes(path, name), usage, seen);
  }
}

const joinBytes = (path: Buffer, name: Buffer): Buffer => Buffer.concat([path, Buffer.from('/'), name]);

function ignoreMissing<R>(run: () => R): R | undefined {
  try {
    return run();
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw err;
  }
}
