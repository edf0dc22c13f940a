import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { chainId, type Descriptor, type Digest, mediaTypes } from '../../oci/index.ts';
import { type Containerd, openContainerd } from '../containerd.ts';
import { snapshotFolders } from '../testing/archives.ts';
import { storeImage } from '../testing/images.ts';

let root: string;
let containerd: Containerd;
beforeEach(async () => {
  root = mkdtempSync('/tmp/berth-gc-');
  containerd = await openContainerd({ root, workers: 1 });
});
afterEach(async () => {
  await containerd.close();
  rmSync(root, { recursive: true });
});

const blobs = async () => (await containerd.content.list()).map(blob => blob.digest).sort();
const snapshots = async () => (await containerd.snapshotter.list()).map(info => info.key).sort();

test('what a name leads to is kept, everything else is swept', async () => {
  const kept = await storeImage(containerd, [{ a: '1' }, { b: '2' }]);
  const lost = await storeImage(containerd, [{ a: '1' }, { c: '3' }]);
  containerd.images.put({ name: 'docker.io/library/kept:latest', target: kept.target });
  const before = (await blobs()).length;
  const collected = await containerd.gc.collect();
  // The base layer is both images'.
  assert.equal(collected.blobs.length, 3);
  assert.deepEqual(collected.snapshots, [lost.chain]);
  assert.ok(collected.reclaimedBytes > 0);
  assert.equal((await blobs()).length, before - 3);
  assert.deepEqual(await snapshots(), [kept.chain, chainId(kept.diffIds.slice(0, 1))].sort());
  assert.deepEqual((await containerd.gc.collect()).blobs, []);
});

test('the last name gone, nothing is left on the disk', async () => {
  const { target } = await storeImage(containerd, [{ a: '1' }, { b: '2' }]);
  containerd.images.put({ name: 'x', target });
  containerd.images.delete('x');
  await containerd.gc.collect();
  assert.deepEqual(await blobs(), []);
  await containerd.close();
  for (const folder of ['content/blobs/sha256', 'content/ingest', 'trash']) {
    assert.deepEqual(readdirSync(join(root, folder)), [], folder);
  }
  assert.deepEqual(snapshotFolders(root), []);
  containerd = await openContainerd({ root, workers: 1 });
});

test('an index keeps those of its manifests that are here', async () => {
  const here = await storeImage(containerd, [{ a: '1' }]);
  const elsewhere: Descriptor = { ...here.target, digest: `sha256:${'0'.repeat(64)}` as Digest };
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [elsewhere, here.target] };
  const stored = await containerd.content.writeBlob(Buffer.from(JSON.stringify(index)));
  containerd.images.put({ name: 'x', target: { mediaType: mediaTypes.ociIndex, ...stored } });
  assert.deepEqual((await containerd.gc.collect()).blobs, []);
  assert.deepEqual(await snapshots(), [here.chain]);
});

test('a container keeps its layers when the image is gone, and its init layer goes with them', async () => {
  const { target, chain } = await storeImage(containerd, [{ a: '1' }]);
  containerd.images.put({ name: 'x', target });
  await containerd.snapshotter.prepare('making', chain);
  await containerd.snapshotter.commit(`${chain}-init`, 'making');
  await containerd.gc.collect();
  assert.deepEqual(await snapshots(), [chain, `${chain}-init`].sort(), 'kept with its image');
  await containerd.snapshotter.prepare('container', `${chain}-init`);
  containerd.images.delete('x');
  await containerd.gc.collect();
  assert.deepEqual(await snapshots(), ['container', chain, `${chain}-init`].sort());
  assert.deepEqual(await blobs(), []);
  await containerd.snapshotter.remove('container');
  await containerd.gc.collect();
  assert.deepEqual(await snapshots(), []);
});

test('a lease keeps what was written and found through it, until it ends or expires', async () => {
  const lease = containerd.leases.create();
  const leased = containerd.leased(lease.id);
  const { digest } = await leased.content.writeBlob(Buffer.from('written'));
  const found = await containerd.content.writeBlob(Buffer.from('found'));
  await leased.content.info(found.digest);
  await containerd.content.writeBlob(Buffer.from('unknown'));
  assert.equal((await containerd.gc.collect()).blobs.length, 1);
  assert.deepEqual(await blobs(), [digest, found.digest].sort());
  lease[Symbol.dispose]();
  await containerd.gc.collect();
  assert.deepEqual(await blobs(), []);

  const short = containerd.leases.create({ expiresAt: new Date(Date.now() - 1) });
  await containerd.leased(short.id).content.writeBlob(Buffer.from('expired'));
  await containerd.gc.collect();
  assert.deepEqual(await blobs(), []);
  assert.deepEqual(containerd.leases.list(), []);
});

test('the label gc.root keeps a blob and a snapshot', async () => {
  const labels = { 'containerd.io/gc.root': 'test' };
  const { digest } = await containerd.content.writeBlob(Buffer.from('x'), { labels });
  await containerd.snapshotter.prepare('making', '');
  await containerd.snapshotter.commit('one', 'making', { labels });
  await containerd.gc.collect();
  assert.deepEqual([await blobs(), await snapshots()], [[digest], ['one']]);
});

test('a manifest that is none does not stop the sweep', async () => {
  const { digest, size } = await containerd.content.writeBlob(Buffer.from('not json'));
  containerd.images.put({ name: 'x', target: { mediaType: mediaTypes.ociManifest, digest, size } });
  await containerd.content.writeBlob(Buffer.from('garbage'));
  assert.equal((await containerd.gc.collect()).blobs.length, 1);
  assert.deepEqual(await blobs(), [digest]);
});

test('an interrupted download is kept for a day', async () => {
  const expected = { digest: `sha256:${'1'.repeat(64)}` as Digest, size: 100 };
  for (const ref of ['old', 'new']) {
    const writer = await containerd.content.writer({ ref, expected });
    await writer.write(new Uint8Array(10));
    await writer.close();
  }
  const [folder] = readdirSync(join(root, 'content/ingest'));
  const longAgo = new Date(Date.now() - 25 * 3600 * 1000);
  utimesSync(join(root, 'content/ingest', folder!, 'data'), longAgo, longAgo);
  await containerd.gc.collect();
  assert.equal((await containerd.content.listStatuses()).length, 1);
});

test('collections asked for at once share a run', async () => {
  await containerd.content.writeBlob(Buffer.from('garbage'));
  const runs = await Promise.all([1, 2, 3].map(() => containerd.gc.collect()));
  assert.equal(runs.flatMap(run => run.blobs).length, 1);
});
