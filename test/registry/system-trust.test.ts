// In a process of its own: the machine's authorities are read once.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseReference, Registry } from '../../src/registry/index.ts';
import { makeImage } from './images.ts';
import { MemoryStore } from './memory-store.ts';
import { startRegistry, testdata } from './registry.ts';

test('a registry whose authority the machine trusts is trusted', async () => {
  process.env.SSL_CERT_FILE = join(testdata, 'ca.crt');
  await using server = await startRegistry({ tls: true });
  const certsDir = await mkdtemp(join(tmpdir(), 'berth-trust-'));
  try {
    await mkdir(join(certsDir, 'private.test'));
    await writeFile(join(certsDir, 'private.test', 'hosts.toml'), `server = "${server.url}"\n`);
    using registry = new Registry({ certsDirs: [certsDir] });
    const image = makeImage([{ a: 'trust' }]);
    const reference = parseReference('private.test/x');
    await registry.push({ reference, target: image.top.descriptor, content: MemoryStore.of(image).content });
    const { target } = await registry.pull({ reference, store: new MemoryStore() });
    assert.equal(target.digest, image.top.descriptor.digest);
  } finally {
    await rm(certsDir, { recursive: true, force: true });
  }
});
