// Kills a process at each named point of the stores' work and looks at what the next one finds.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../oci/index.ts';
import { type Containerd, openContainerd } from './containerd.ts';
import { snapshotFolders } from './testing/archives.ts';

const program = join(import.meta.dirname, 'testing/crash-work.ts');

/** Runs the work in a process of its own that dies at `point`, then opens what it left. */
async function crashAt(
  t: TestContext,
  point: string,
): Promise<{ containerd: Containerd; root: string; acknowledged: string[] }> {
  const root = mkdtempSync('/tmp/berth-crash-');
  const child = spawnSync(process.execPath, [program, root], {
    env: { ...process.env, BERTH_CRASH: point },
    encoding: 'utf8',
    timeout: 30_000,
  });
  assert.equal(child.signal, 'SIGKILL', `the point was not reached: ${child.stderr}`);
  const containerd = await openContainerd({ root, workers: 1 });
  t.after(async () => {
    await containerd.close();
    rmSync(root, { recursive: true });
  });
  return { containerd, root, acknowledged: child.stdout.split('\n').filter(Boolean) };
}

/** Every blob is what its name says, every snapshot has its parent and its folder, and there is nothing else. */
async function verify({ content, snapshotter }: Containerd, root: string): Promise<void> {
  const blobs = await content.list();
  for (const { digest, size } of blobs) {
    const bytes = await content.readBlob(digest);
    assert.equal(bytes.length, size);
    assert.equal(digestOf(bytes), digest);
  }
  assert.equal(readdirSync(join(root, 'content/blobs/sha256')).length, blobs.length);
  const snapshots = await snapshotter.list();
  const keys = new Set(snapshots.map(info => info.key));
  for (const info of snapshots) {
    assert.ok(info.parent === undefined || keys.has(info.parent), `${info.key} lost its parent`);
    if (info.kind !== 'committed')
      for (const mount of await snapshotter.mounts(info.key)) {
        for (const lower of mount.overlay?.lowerdirs ?? [mount.source]) assert.ok(existsSync(lower), lower);
      }
  }
  assert.equal(snapshotFolders(root).length, snapshots.length);
}

const points = [
  'content.commit.verified',
  'content.commit.renamed',
  'content.commit.recorded',
  'content.delete.row',
  'snapshots.prepare.row',
  'snapshots.commit.unpacked',
  'snapshots.commit.recorded',
  'snapshots.remove.row',
  'gc.sweep.rows',
  'gc.sweep.blobs',
  'unpack.half',
];

for (const point of points) {
  test(`killed at ${point}, the next process finds everything whole`, async t => {
    const { containerd, root, acknowledged } = await crashAt(t, point);
    await verify(containerd, root);
    // What was acknowledged is there.
    for (const line of acknowledged) {
      const [what, name] = line.split(' ') as [string, string];
      if (what === 'image') assert.ok(containerd.images.get(name) !== undefined, line);
      if (what === 'record') assert.equal(containerd.metadata.collection('test').get(name), true, line);
      if (what === 'snapshot') assert.ok((await containerd.snapshotter.stat(name)) !== undefined, line);
      if (what === 'removed') assert.equal(await containerd.snapshotter.stat(name), undefined, line);
    }
    await containerd.gc.collect();
    await verify(containerd, root);
    const resumable = (await containerd.content.listStatuses()).map(({ ref }) => ref);
    assert.deepEqual(
      resumable.filter(ref => !['one', 'half'].includes(ref) && !ref.startsWith('layer-')),
      [],
    );
    // And the same work can be done again.
    const again = spawnSync(process.execPath, [program, join(root, 'again')], { encoding: 'utf8', timeout: 30_000 });
    assert.equal(again.status, 0, again.stderr);
  });
}
