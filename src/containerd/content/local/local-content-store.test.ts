import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestHex, digestOf } from '../../../oci/index.ts';
import { type Containerd, openContainerd } from '../../containerd.ts';
import { contentStoreContract } from '../contract.ts';

contentStoreContract('LocalContentStore', async () => {
  const root = mkdtempSync('/tmp/berth-content-');
  let containerd: Containerd = await openContainerd({ root, workers: 1 });
  return {
    store: containerd.content,
    reopen: async () => {
      await containerd.close();
      containerd = await openContainerd({ root, workers: 1 });
      return containerd.content;
    },
    [Symbol.asyncDispose]: async () => {
      await containerd.close();
      rmSync(root, { recursive: true });
    },
  };
});

test('at opening, blobs that were not recorded yet are adopted, and rows without a file dropped', async t => {
  const root = mkdtempSync('/tmp/berth-content-');
  t.after(() => rmSync(root, { recursive: true }));
  const first = await openContainerd({ root });
  const { digest } = await first.content.writeBlob(Buffer.from('lost'));
  await first.close();
  const folder = join(root, 'content/blobs/sha256');
  rmSync(join(folder, digestHex(digest)));
  const found = digestOf('found');
  writeFileSync(join(folder, digestHex(found)), 'found');
  await using second = await openContainerd({ root });
  assert.equal(await second.content.info(digest), undefined);
  assert.equal((await second.content.info(found))?.size, 5);
  assert.deepEqual(readdirSync(join(root, 'content/ingest')), []);
});
