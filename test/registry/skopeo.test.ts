// Against skopeo, in both directions: what it writes we pull, what we push it reads.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type Containerd, openContainerd } from '../../src/containerd/index.ts';
import { mediaTypes, parseManifest } from '../../src/oci/index.ts';
import { parseReference, Registry } from '../../src/registry/index.ts';
import { makeImage, makeIndex, noise, publish } from './images.ts';
import { getSkopeo, skopeoEnvironment } from './package.ts';
import { type RunningRegistry, startRegistry } from './registry.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };
const image = makeImage([{ a: 'a' }, { b: noise(50_000) }], { docker: true });
const arm = makeImage([{ a: 'arm' }], { docker: true, platform: { os: 'linux', architecture: 'arm64' } });

let server: RunningRegistry;
let directory: string;
let containerd: Containerd;
const registry = new Registry();
before(async () => {
  server = await startRegistry();
  directory = await mkdtemp(join(tmpdir(), 'berth-skopeo-'));
  containerd = await openContainerd({ root: join(directory, 'root') });
  await publish(server.url, 'src', 'v1', image);
  await publish(server.url, 'src', 'multi', makeIndex([image, arm], true));
});
after(async () => {
  registry.close();
  await containerd.close();
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

async function skopeo(...args: string[]): Promise<string> {
  const binary = await getSkopeo();
  const global = ['--insecure-policy', '--tmpdir', directory];
  const { stdout } = await promisify(execFile)(binary, [...global, ...args], { env: skopeoEnvironment(binary) });
  return stdout;
}
const copy = (from: string, to: string, ...options: string[]) =>
  skopeo('copy', '--src-tls-verify=false', '--dest-tls-verify=false', ...options, from, to);
const remote = (name: string): string => `docker://${server.host}/${name}`;

async function pull(name: string, host = server.host) {
  using lease = containerd.leases.create();
  const reference = parseReference(`${host}/${name}`);
  const result = await registry.pull({ reference, store: containerd.leased(lease.id), platform: amd64 });
  containerd.images.put({ name, target: result.target });
  const bytes = await containerd.content.readBlob(result.manifest.digest);
  const parsed = parseManifest(bytes, result.manifest.mediaType);
  assert.ok(parsed.kind === 'manifest');
  return { ...result, layers: parsed.manifest.layers };
}

test('an OCI image that skopeo wrote is pulled', async () => {
  await copy(remote('src:v1'), remote('oci:v1'), '--format', 'oci');
  const { target, layers } = await pull('oci:v1');
  assert.equal(target.mediaType, mediaTypes.ociManifest);
  assert.equal(layers[0]?.mediaType, mediaTypes.ociLayerGzip);
});

test('zstd layers that skopeo wrote are pulled and unpacked to the same', async () => {
  const gzip = await pull('src:v1');
  // To a registry that does not have the gzip form, which skopeo would take instead.
  await using other = await startRegistry();
  await copy(remote('src:v1'), `dir:${directory}/plain`, '--dest-decompress');
  const to = `docker://${other.host}/zstd:v1`;
  await copy(`dir:${directory}/plain`, to, '--format', 'oci', '--dest-compress-format', 'zstd');
  const zstd = await pull('zstd:v1', other.host);
  assert.equal(zstd.layers[0]?.mediaType, mediaTypes.ociLayerZstd);
  assert.equal(zstd.chainId, gzip.chainId);
});

test('an index that skopeo copied is pulled, and pushed by us is copied whole by skopeo', async () => {
  await copy(remote('src:multi'), remote('multi:v1'), '--all');
  const { target } = await pull('multi:v1');
  assert.equal(target.mediaType, mediaTypes.dockerIndex);
  for (const [name, platform] of [
    ['amd64', amd64],
    ['arm64', { os: 'linux', architecture: 'arm64' }],
  ] as const) {
    const reference = parseReference(`${server.host}/multi:v1`);
    using lease = containerd.leases.create();
    const result = await registry.pull({ reference, store: containerd.leased(lease.id), platform });
    containerd.images.put({ name: `multi-${name}`, target: result.target });
  }
  await registry.push({ reference: parseReference(`${server.host}/multi:v2`), target, content: containerd.content });
  await copy(remote('multi:v2'), `dir:${directory}/multi`, '--all');
});

test('what we push, skopeo inspects and copies', async () => {
  const { target } = await pull('src:v1');
  await registry.push({ reference: parseReference(`${server.host}/ours:v1`), target, content: containerd.content });
  const inspected = JSON.parse(await skopeo('inspect', '--tls-verify=false', remote('ours:v1')));
  assert.equal(inspected.Digest, target.digest);
  assert.deepEqual(
    inspected.Layers,
    image.blobs.slice(1).map(({ descriptor }) => descriptor.digest),
  );
  await copy(remote('ours:v1'), `oci:${directory}/layout:v1`);
});
