// Images of unusual and of impossible shapes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { codeOf } from '../../src/errdefs/index.ts';
import { digestOf, mediaTypes, type Platform } from '../../src/oci/index.ts';
import { parseReference, Registry } from '../../src/registry/index.ts';
import { type Blob, blob, makeImage, makeIndex, type TestImage } from './images.ts';
import { MemoryStore } from './memory-store.ts';
import { ScriptedRegistry } from './scripted.ts';

const amd64: Platform = { os: 'linux', architecture: 'amd64' };
const image = makeImage([{ a: 'a' }, { b: 'b' }]);
const [config, ...layers] = image.blobs as [Blob, ...Blob[]];

let server: ScriptedRegistry;
const registry = new Registry({ retry: { attempts: 1 } });
before(async () => {
  server = await ScriptedRegistry.start();
});
after(async () => {
  registry.close();
  await server[Symbol.asyncDispose]();
});

async function pull(shape: TestImage, platform: Platform | undefined = amd64) {
  server.add('x', 'latest', shape);
  const store = new MemoryStore();
  const reference = parseReference(`${server.host}/x`);
  const result = await registry.pull({ reference, store, ...(platform !== undefined && { platform }) });
  store.verify();
  return { result, store };
}

/** The image with another manifest. */
const withManifest = (change: object, blobs: readonly Blob[] = image.blobs): TestImage => {
  const manifest = { ...JSON.parse(image.top.bytes.toString()), ...change };
  return { top: blob(manifest.mediaType ?? mediaTypes.ociManifest, manifest), children: [], blobs };
};

test('an image without layers is pulled', async () => {
  const { result } = await pull(makeImage([]));
  assert.equal(result.chainId, undefined);
});

test('an image that has one layer several times is pulled', async () => {
  const { store } = await pull(makeImage([{ a: 'same' }, { b: 'other' }, { a: 'same' }, { a: 'same' }]));
  assert.equal(store.snapshots.size, 4);
});

test('an image of many layers is pulled', async () => {
  const { store } = await pull(makeImage(Array.from({ length: 60 }, (_, i) => ({ [`f${i}`]: String(i) }))));
  assert.equal(store.snapshots.size, 60);
});

test('an index in an index is followed, to a depth', async () => {
  const inner = makeIndex([image]);
  const outer = makeIndex([
    { ...inner, top: { ...inner.top, descriptor: { ...inner.top.descriptor, platform: amd64 } } },
  ]);
  const { result } = await pull({ ...outer, children: [inner.top, image.top] });
  assert.equal(result.manifest.digest, image.top.descriptor.digest);
  assert.equal(result.target.digest, outer.top.descriptor.digest);
  let deep: TestImage = image;
  const children: Blob[] = [image.top];
  for (let depth = 0; depth < 6; depth++) {
    deep = makeIndex([{ ...deep, top: { ...deep.top, descriptor: { ...deep.top.descriptor, platform: amd64 } } }]);
    children.push(deep.top);
  }
  await assert.rejects(pull({ ...deep, children }), /indexes are nested more than 4 deep/);
});

test('an attestation is not taken for an image', async () => {
  const attestation = withManifest({ annotations: { about: 'attestation' } });
  const annotations = { 'vnd.docker.reference.type': 'attestation-manifest' };
  const described = { ...attestation.top, descriptor: { ...attestation.top.descriptor, annotations, platform: amd64 } };
  const { result } = await pull(makeIndex([{ ...attestation, top: described }, image]));
  assert.equal(result.manifest.digest, image.top.descriptor.digest);
});

test('an index that does not say for what its one image is, is taken at its word', async () => {
  const { platform: _, ...plain } = image.top.descriptor;
  const { result } = await pull(makeIndex([{ ...image, top: { ...image.top, descriptor: plain } }]));
  assert.equal(result.manifest.digest, image.top.descriptor.digest);
});

test('an empty index has no platform', async () => {
  await assert.rejects(pull(makeIndex([])), {
    message: 'no matching manifest for linux/amd64 in the manifest list entries',
  });
  await assert.rejects(
    pull(makeIndex([]), undefined),
    /^NotFound: no matching manifest for linux\/[a-z0-9/]+ in the manifest list entries$/,
  );
});

const refused: [what: string, shape: TestImage, message: RegExp][] = [
  [
    'a foreign layer',
    withManifest({
      layers: layers.map(({ descriptor }) => ({ ...descriptor, mediaType: mediaTypes.dockerForeignLayerGzip })),
    }),
    /is a foreign layer \(application\/vnd\.docker\.image\.rootfs\.foreign\.diff\.tar\.gzip\): registries do not hold it/,
  ],
  [
    'another artifact than an image',
    withManifest({ config: { ...config.descriptor, mediaType: 'application/vnd.cncf.helm.config.v1+json' } }),
    /encountered remote "application\/vnd.cncf.helm.config.v1\+json"\(unknown\) when fetching/,
  ],
  [
    'fewer layers than diff ids',
    withManifest({ layers: layers.slice(1).map(({ descriptor }) => descriptor) }),
    /mismatched image rootfs and manifest layers: 2 diff ids, 1 layers/,
  ],
  [
    'layers in another order than their diff ids',
    withManifest({ layers: [...layers].reverse().map(({ descriptor }) => descriptor) }),
    /wrong diff id/,
  ],
  [
    'a config that is too large',
    withManifest({ config: { ...config.descriptor, size: 9 << 20 } }),
    /has 9437184 bytes, more than 8388608/,
  ],
  ['a manifest that is an index too', withManifest({ manifests: [] }), /manifest has a list of manifests/],
];
for (const [what, shape, message] of refused) {
  test(`${what} is refused`, async () => {
    await assert.rejects(pull(shape), (err: Error) => {
      assert.match(err.message, message);
      return ['InvalidArgument', 'DataLoss', 'ResourceExhausted'].includes(codeOf(err));
    });
  });
}

test('a config that is no config is refused', async () => {
  const broken = blob(mediaTypes.ociConfig, { os: 'linux' });
  await assert.rejects(
    pull(withManifest({ config: broken.descriptor }, [broken, ...layers])),
    /image config has no rootfs/,
  );
});

test('a config with other bytes than its digest says is refused', async () => {
  const lie = { ...config.descriptor, digest: digestOf('what was meant') };
  const store = new MemoryStore();
  server.add('x', 'latest', withManifest({ config: lie }));
  server.blobs.set(lie.digest, config.bytes);
  await assert.rejects(registry.pull({ reference: parseReference(`${server.host}/x`), store, platform: amd64 }), {
    code: 'DataLoss',
  });
  assert.ok(!store.blobs.has(lie.digest));
});
