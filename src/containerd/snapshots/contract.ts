// What every snapshotter does. The tests write into a snapshot's own directory, which each implementation tells.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { layersOfMounts } from './layers.ts';
import { MergedView } from './overlay/merged-view.ts';
import type { SnapshotMount, Snapshotter } from './snapshotter.ts';

export interface SnapshotterUnderTest extends AsyncDisposable {
  readonly snapshotter: Snapshotter;
  reopen(): Promise<Snapshotter>;
}

const write = (mounts: readonly SnapshotMount[], path: string, data: string) =>
  writeFileSync(join(layersOfMounts(mounts)[0]!, path), data);

function read(mounts: readonly SnapshotMount[], path: string): string | undefined {
  using view = new MergedView(layersOfMounts(mounts));
  if (view.lookup(path) === undefined) return undefined;
  return readFileSync(view.openFile(path), 'utf8');
}

export function snapshotterContract(name: string, open: () => Promise<SnapshotterUnderTest>): void {
  describe(name, () => {
    let under: SnapshotterUnderTest;
    let snapshotter: Snapshotter;
    beforeEach(async () => {
      under = await open();
      snapshotter = under.snapshotter;
    });
    afterEach(() => under[Symbol.asyncDispose]());

    const layer = async (name: string, parent: string, files: Record<string, string>) => {
      const mounts = await snapshotter.prepare(`making ${name}`, parent);
      for (const [path, data] of Object.entries(files)) write(mounts, path, data);
      await snapshotter.commit(name, `making ${name}`);
    };

    test('what is written in an active snapshot is below those made on its commit', async () => {
      await layer('one', '', { a: '1', b: '1' });
      await layer('two', 'one', { b: '2' });
      const mounts = await snapshotter.prepare('top', 'two');
      assert.equal(read(mounts, 'a'), '1');
      assert.equal(read(mounts, 'b'), '2');
      write(mounts, 'b', '3');
      const other = await snapshotter.view('look', 'two');
      assert.equal(read(other, 'b'), '2');
      assert.equal(read(await snapshotter.mounts('top'), 'b'), '3');
    });

    test('a snapshot tells its kind, parent and labels', async () => {
      await layer('one', '', {});
      await snapshotter.prepare('top', 'one', { labels: { a: '1' } });
      await snapshotter.label('top', { b: '2' });
      const top = await snapshotter.stat('top');
      assert.deepEqual([top?.kind, top?.parent, top?.labels], ['active', 'one', { a: '1', b: '2' }]);
      const one = await snapshotter.stat('one');
      assert.deepEqual([one?.kind, one?.parent], ['committed', undefined]);
      assert.equal(await snapshotter.stat('making one'), undefined);
      assert.deepEqual((await snapshotter.list()).map(info => info.key).sort(), ['one', 'top']);
    });

    test('keys are taken once; a parent is there and committed', async () => {
      await layer('one', '', {});
      await snapshotter.prepare('top', 'one');
      await assert.rejects(snapshotter.prepare('top', ''), { code: 'AlreadyExists' });
      await assert.rejects(snapshotter.prepare('one', ''), { code: 'AlreadyExists' });
      await assert.rejects(snapshotter.prepare('x', 'nothing'), { code: 'NotFound' });
      await assert.rejects(snapshotter.prepare('x', 'top'), { code: 'FailedPrecondition' });
      await assert.rejects(snapshotter.commit('one', 'top'), { code: 'AlreadyExists' });
      await assert.rejects(snapshotter.commit('x', 'nothing'), { code: 'NotFound' });
      await assert.rejects(snapshotter.commit('x', 'one'), { code: 'FailedPrecondition' });
      await snapshotter.view('look', 'one');
      await assert.rejects(snapshotter.commit('x', 'look'), { code: 'FailedPrecondition' });
      assert.equal(await snapshotter.stat('x'), undefined);
    });

    test('a snapshot goes only when nothing is above it', async () => {
      await layer('one', '', { a: '1' });
      await snapshotter.prepare('top', 'one');
      await assert.rejects(snapshotter.remove('one'), { code: 'FailedPrecondition' });
      await snapshotter.remove('top');
      await snapshotter.remove('one');
      assert.deepEqual(await snapshotter.list(), []);
      await assert.rejects(snapshotter.remove('one'), { code: 'NotFound' });
      await assert.rejects(snapshotter.mounts('one'), { code: 'NotFound' });
    });

    test('usage is what a snapshot itself occupies', async () => {
      await layer('one', '', { a: 'x'.repeat(100_000) });
      await layer('two', 'one', { b: 'y' });
      const one = await snapshotter.usage('one');
      assert.ok(one.sizeBytes >= 100_000 && one.sizeBytes < 120_000, String(one.sizeBytes));
      assert.equal(one.inodes, 2);
      assert.ok((await snapshotter.usage('two')).sizeBytes <= 8192);
      const mounts = await snapshotter.prepare('top', 'two');
      write(mounts, 'c', 'z'.repeat(50_000));
      assert.ok((await snapshotter.usage('top')).sizeBytes >= 50_000);
      await assert.rejects(snapshotter.usage('nothing'), { code: 'NotFound' });
    });

    test('snapshots survive the process', async () => {
      await layer('one', '', { a: '1' });
      write(await snapshotter.prepare('top', 'one'), 'b', '2');
      snapshotter = await under.reopen();
      const mounts = await snapshotter.mounts('top');
      assert.equal(read(mounts, 'a'), '1');
      assert.equal(read(mounts, 'b'), '2');
    });
  });
}
