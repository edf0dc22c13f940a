import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInvalidArgument } from '../errdefs/index.ts';
import { isIndexType, mediaTypes } from './image.ts';
import { parseImageConfig, parseManifest } from './parse.ts';
import { choosePlatform } from './platform.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const platform = { os: 'linux', architecture: 'amd64', variant: 'v1' };
const descriptor = {
  mediaType: mediaTypes.ociLayerGzip,
  digest,
  size: 5,
  urls: ['x'],
  annotations: { a: 'b' },
  platform,
};
const documents: readonly (readonly [mediaType: string, value: object])[] = [
  [
    mediaTypes.ociManifest,
    { schemaVersion: 2, config: descriptor, layers: [descriptor, descriptor], subject: descriptor },
  ],
  [
    mediaTypes.dockerIndex,
    { schemaVersion: 2, mediaType: mediaTypes.dockerIndex, manifests: [descriptor, descriptor] },
  ],
  [
    mediaTypes.ociConfig,
    { ...platform, config: { Env: ['a=b'] }, rootfs: { type: 'layers', diff_ids: [digest] }, history: [{}] },
  ],
];
const oddities = [null, 0, -1, 1e300, '', 'x', [], {}, true, [null], { __proto__: 1 }, '../../etc/passwd'];

/** Every document that has one value replaced, or one taken away. */
function* mutations(value: unknown): Generator<unknown> {
  yield* oddities;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const put = (replacement: unknown): unknown =>
      Array.isArray(value) ? value.with(Number(key), replacement) : { ...value, [key]: replacement };
    for (const mutated of mutations(inner)) yield put(mutated);
    if (!Array.isArray(value)) {
      const { [key]: _, ...rest } = value as Record<string, unknown>;
      yield rest;
    }
  }
}

test('every document with one thing wrong is read into what its type says, or refused', () => {
  let count = 0;
  for (const [mediaType, document] of documents) {
    for (const mutated of mutations(document)) {
      count++;
      const bytes = Buffer.from(JSON.stringify(mutated));
      try {
        if (mediaType === mediaTypes.ociConfig) {
          const config = parseImageConfig(bytes);
          assert.ok(config.rootfs.diff_ids.every(id => /^sha256:[0-9a-f]{64}$/.test(id)));
          continue;
        }
        const parsed = parseManifest(bytes, mediaType);
        assert.equal(parsed.kind === 'index', isIndexType(mediaType));
        const listed =
          parsed.kind === 'index' ? parsed.index.manifests : [parsed.manifest.config, ...parsed.manifest.layers];
        for (const entry of listed) {
          assert.ok(/^sha256:[0-9a-f]{64}$/.test(entry.digest) && Number.isSafeInteger(entry.size) && entry.size >= 0);
        }
        choosePlatform(listed, platform);
      } catch (err) {
        assert.ok(isInvalidArgument(err), `${JSON.stringify(mutated)}: ${err}`);
      }
    }
  }
  assert.ok(count > 500);
});
