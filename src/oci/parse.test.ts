import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInvalidArgument } from '../errdefs/index.ts';
import { mediaTypes } from './image.ts';
import { isAttestation, parseImageConfig, parseManifest } from './parse.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const blob = (mediaType: string, more: object = {}): object => ({ mediaType, digest, size: 3, ...more });
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const manifest = (more: object = {}): object => ({
  schemaVersion: 2,
  config: blob(mediaTypes.ociConfig),
  layers: [blob(mediaTypes.ociLayerGzip)],
  ...more,
});

test('a manifest is read, unknown fields kept', () => {
  const parsed = parseManifest(bytes(manifest({ 'x-mine': 1 })), mediaTypes.ociManifest);
  assert.equal(parsed.kind, 'manifest');
  assert.equal(parsed.kind === 'manifest' && parsed.manifest.layers[0]?.size, 3);
  assert.equal(parsed.kind === 'manifest' && (parsed.manifest as unknown as Record<string, unknown>)['x-mine'], 1);
});

test('an index is read, and its attestations known', () => {
  const annotations = { 'vnd.docker.reference.type': 'attestation-manifest' };
  const parsed = parseManifest(
    bytes({
      schemaVersion: 2,
      manifests: [blob(mediaTypes.ociManifest, { annotations }), blob(mediaTypes.ociManifest)],
    }),
    mediaTypes.ociIndex,
  );
  assert.deepEqual(parsed.kind === 'index' && parsed.index.manifests.map(isAttestation), [true, false]);
});

const refused: [what: string, value: unknown, mediaType: string, message: RegExp][] = [
  ['schema 1', { schemaVersion: 1, fsLayers: [] }, mediaTypes.dockerManifest, /schema 1 support has been removed/],
  ['no version', manifest({ schemaVersion: undefined }), mediaTypes.ociManifest, /schema version/],
  [
    'another type than served',
    manifest({ mediaType: mediaTypes.dockerManifest }),
    mediaTypes.ociManifest,
    /was served as/,
  ],
  ['an index with layers', { ...manifest(), manifests: [] }, mediaTypes.ociIndex, /index has a config or layers/],
  [
    'a manifest with manifests',
    manifest({ manifests: [] }),
    mediaTypes.ociManifest,
    /manifest has a list of manifests/,
  ],
  [
    'a layer without a digest',
    manifest({ layers: [{ mediaType: 'x', size: 1 }] }),
    mediaTypes.ociManifest,
    /without a digest/,
  ],
  [
    'a path as a digest',
    manifest({ config: { ...blob('x'), digest: '../../etc' } }),
    mediaTypes.ociManifest,
    /invalid digest/,
  ],
  ['a negative size', manifest({ config: { ...blob('x'), size: -1 } }), mediaTypes.ociManifest, /bad size/],
  ['a fractional size', manifest({ config: { ...blob('x'), size: 1.5 } }), mediaTypes.ociManifest, /bad size/],
  ['layers that are no list', manifest({ layers: {} }), mediaTypes.ociManifest, /layers is not a list/],
  [
    'a bad platform',
    { schemaVersion: 2, manifests: [blob('x', { platform: { os: 1 } })] },
    mediaTypes.ociIndex,
    /bad platform/,
  ],
  ['a list', [], mediaTypes.ociManifest, /not a JSON object/],
  ['another media type', manifest(), 'text/html', /unsupported manifest media type "text\/html"/],
];
for (const [what, value, mediaType, message] of refused) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => parseManifest(bytes(value), mediaType),
      (err: Error) => isInvalidArgument(err) && message.test(err.message),
    );
  });
}

test('bytes that are no JSON are refused', () => {
  assert.throws(() => parseManifest(Buffer.from('<html>'), mediaTypes.ociManifest), /manifest is not JSON/);
  assert.throws(() => parseManifest(Buffer.from([0x22, 0xff, 0x22]), mediaTypes.ociManifest), /manifest is not JSON/);
});

test('a config is read; one without rootfs or with a bad diff id is refused', () => {
  const config = parseImageConfig(
    bytes({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [digest] } }),
  );
  assert.deepEqual(config.rootfs.diff_ids, [digest]);
  assert.deepEqual(parseImageConfig(bytes({ rootfs: { type: 'layers', diff_ids: null } })).rootfs.diff_ids, []);
  assert.throws(() => parseImageConfig(bytes({ os: 'linux' })), /no rootfs/);
  assert.throws(() => parseImageConfig(bytes({ rootfs: { diff_ids: ['x'] } })), /invalid digest/);
  assert.throws(() => parseImageConfig(bytes({ os: {}, rootfs: {} })), /bad platform/);
});

const badFields: [field: string, value: unknown][] = [
  ['User', 5],
  ['Env', 'A=b'],
  ['Env', [5]],
  ['Cmd', {}],
  ['Entrypoint', 'sh'],
  ['ExposedPorts', ['80/tcp']],
  ['Volumes', 'x'],
  ['Labels', { a: 1 }],
  ['Healthcheck', { Test: 'x' }],
  ['Healthcheck', { Interval: 'soon' }],
  ['StopSignal', 9],
];
for (const [field, value] of badFields) {
  test(`a config whose ${field} is ${JSON.stringify(value)} is refused`, () => {
    const config = { rootfs: { diff_ids: [] }, config: { [field]: value } };
    assert.throws(() => parseImageConfig(bytes(config)), new RegExp(`image config has a bad ${field}`));
  });
}

test('null is absent in a config, as Go reads it', () => {
  const config = { rootfs: { diff_ids: [] }, config: { Env: null, Cmd: null, Labels: null, User: 'u' }, history: null };
  assert.deepEqual(parseImageConfig(bytes(config)).config, { User: 'u' });
  assert.deepEqual(parseImageConfig(bytes({ ...config, config: null })).history, []);
});
