import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { type Containerd, openContainerd } from '../../containerd/index.ts';
import { storeImage } from '../../containerd/testing/images.ts';
import { Registry } from '../../registry/index.ts';
import type { ImageDeps, ImageUser } from './deps.ts';
import { imageDiskUsage } from './disk-usage.ts';
import { type StorageLimits, StoragePolicy } from './storage-policy.ts';

async function setUp(
  t: TestContext,
): Promise<{ deps: ImageDeps; containerd: Containerd; users: ImageUser[]; ids: string[] }> {
  const root = mkdtempSync('/tmp/berth-policy-');
  const containerd = await openContainerd({ root, workers: 1 });
  t.after(async () => {
    await containerd.close();
    rmSync(root, { recursive: true });
  });
  const users: ImageUser[] = [];
  const deps = { containerd, registry: new Registry({}), events: { publish: () => {} }, users: () => users };
  const ids: string[] = [];
  for (const name of ['a', 'b', 'c', 'd']) {
    const { target } = await storeImage(containerd, [{ [name]: name.repeat(200_000) }]);
    containerd.images.put({ name: `docker.io/library/${name}:latest`, target });
    ids.push(target.digest);
    await setTimeout(5);
  }
  return { deps, containerd, users, ids };
}

const left = (containerd: Containerd) =>
  containerd.images
    .list()
    .map(image => image.name.at(-8))
    .join('');
const policyOf = (deps: ImageDeps, limits: StorageLimits) => new StoragePolicy(deps, { minAgeMs: 0, ...limits });

test('the least recently used images go until the store is small enough', async t => {
  const { deps, containerd, ids } = await setUp(t);
  const { layersSize } = await imageDiskUsage(deps);
  await setTimeout(5);
  using policy = policyOf(deps, { maxBytes: layersSize * 0.6 });
  policy.used(ids[0]!);
  await setTimeout(5);
  assert.equal((await policy.enforce()).length, 4);
  assert.equal(left(containerd), 'ad');
  assert.ok((await imageDiskUsage(deps)).layersSize <= layersSize * 0.6);
  assert.deepEqual(await policy.enforce(), []);
});

test('what a container is made of stays, and what is new', async t => {
  const { deps, containerd, users, ids } = await setUp(t);
  users.push({ id: 'c', imageId: ids[1]!, reference: 'b', running: false });
  using young = new StoragePolicy(deps, { maxBytes: 1 });
  assert.deepEqual(await young.enforce(), []);
  await setTimeout(5);
  using policy = policyOf(deps, { maxBytes: 1 });
  await policy.enforce();
  assert.equal(left(containerd), 'b');
});

test('a mark of free space works alike; without limits nothing is ever removed', async t => {
  const { deps, containerd } = await setUp(t);
  await setTimeout(5);
  using off = policyOf(deps, {});
  assert.deepEqual(await off.enforce(), []);
  using enough = policyOf(deps, { minFreeBytes: 1 });
  assert.deepEqual(await enough.enforce(), []);
  using never = policyOf(deps, { minFreeBytes: Number.MAX_SAFE_INTEGER });
  await never.enforce();
  assert.equal(left(containerd), '');
});
