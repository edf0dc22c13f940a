// Pulls into the real content store and snapshotter, and what is left of them when they are killed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { type Containerd, layersOfMounts, openContainerd } from '../../src/containerd/index.ts';
import { type Digest, digestOf } from '../../src/oci/index.ts';
import { parseReference, Registry } from '../../src/registry/index.ts';
import { makeImage, noise } from './images.ts';
import { ScriptedRegistry } from './scripted.ts';

const files = [{ a: 'a' }, { big: noise(3_000_000) }, { c: noise(200_000, 2), d: 'd' }] as const;
const image = makeImage(files);
const layer = image.blobs[2];
assert.ok(layer);
const size = layer.descriptor.size;

let server: ScriptedRegistry;
let root: string;
const registry = new Registry({ retry: { attempts: 2, baseMs: 1 } });
before(async () => {
  server = await ScriptedRegistry.start();
  server.add('x', 'latest', image);
});
after(async () => {
  registry.close();
  await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'berth-pull-'));
});
afterEach(async () => {
  server.behave = exchange => exchange.next();
  server.requests.length = 0;
  await rm(root, { recursive: true, force: true });
});

const reference = () => parseReference(`${server.host}/x`);

async function pull(containerd: Containerd) {
  using lease = containerd.leases.create();
  const result = await registry.pull({ reference: reference(), store: containerd.leased(lease.id) });
  containerd.images.put({ name: 'x', target: result.target });
  return result;
}

/** Every blob is what its name says, and the image's files are what was packed. */
async function verify(containerd: Containerd, chain: string | undefined): Promise<void> {
  for (const { digest } of await containerd.content.list()) {
    assert.equal(digestOf(await containerd.content.readBlob(digest, 64 << 20)), digest);
  }
  if (chain === undefined) return;
  const lower = layersOfMounts(await containerd.snapshotter.view('check', chain as Digest));
  for (const [name, content] of Object.entries(Object.assign({}, ...files) as Record<string, string | Buffer>)) {
    const found = await Promise.any(lower.map(directory => readFile(join(directory, name))));
    assert.ok(found.equals(Buffer.from(content as string)), name);
  }
  await containerd.snapshotter.remove('check');
}

test('an image is pulled into the store, each layer unpacked', async () => {
  await using containerd = await openContainerd({ root });
  const result = await pull(containerd);
  assert.equal(result.upToDate, false);
  await verify(containerd, result.chainId);
  assert.equal((await pull(containerd)).upToDate, true);
  assert.equal((await containerd.content.listStatuses()).length, 0, 'no ingest is left');
});

/** Runs the pull in a process that is ended by SIGKILL: at a crash point, or when `kill` says so. */
function pullInChild(
  options: { crashAt?: string; killed?: AbortSignal } = {},
): Promise<{ code: number | null; signal: string | null }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'pull-child.ts'), `${server.host}/x`, root], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...(options.crashAt !== undefined && { BERTH_CRASH: options.crashAt }) },
  });
  options.killed?.addEventListener('abort', () => child.kill('SIGKILL'));
  return new Promise(resolve => child.once('exit', (code, signal) => resolve({ code, signal })));
}

for (const point of [
  'content.commit.verified',
  'content.commit.renamed',
  'content.commit.recorded',
  'snapshots.commit.unpacked',
  'snapshots.commit.recorded',
]) {
  test(`a pull killed at ${point} leaves a true store, and the next one completes it`, async () => {
    assert.equal((await pullInChild({ crashAt: point })).signal, 'SIGKILL');
    await using containerd = await openContainerd({ root });
    await verify(containerd, undefined);
    await verify(containerd, (await pull(containerd)).chainId);
  });
}

for (const bytes of [1, 100_000, 1_500_000, size - 1]) {
  test(`a pull killed when ${bytes} bytes of a layer were sent resumes by Range`, async () => {
    const stop = new AbortController();
    server.behave = ({ request, response, next }) => {
      if (request.method !== 'GET' || !request.path.includes(layer.descriptor.digest)) return next();
      response.writeHead(200, { 'content-length': size });
      response.write(layer.bytes.subarray(0, bytes), () => setTimeout(() => stop.abort(), 300));
    };
    assert.equal((await pullInChild({ killed: stop.signal })).signal, 'SIGKILL');
    server.behave = exchange => exchange.next();
    server.requests.length = 0;
    await using containerd = await openContainerd({ root });
    await verify(containerd, undefined);
    await verify(containerd, (await pull(containerd)).chainId);
    const asked = server.requests.filter(({ path }) => path.includes(layer.descriptor.digest));
    assert.equal(asked[0]?.headers.range, `bytes=${bytes}-${size - 1}`);
  });
}

test('an ingest that lost its bytes to a power cut does not stand in the way of the next pull', async () => {
  let drops = 0;
  server.behave = ({ request, response, socket, next }) => {
    if (request.method !== 'GET' || !request.path.includes(layer.descriptor.digest)) return next();
    if (drops++ > 0) return void socket.destroy();
    response.writeHead(200, { 'content-length': size });
    response.write(layer.bytes.subarray(0, 1_000_000), () => setTimeout(() => socket.destroy(), 100));
  };
  {
    await using containerd = await openContainerd({ root });
    await assert.rejects(pull(containerd));
  }
  server.behave = exchange => exchange.next();
  const ingests = join(root, 'content', 'ingest');
  const entries = await readdir(ingests, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter(found => found.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    if (bytes.byteLength === 1_000_000) await writeFile(path, bytes.fill(0, 5000));
  }
  await using containerd = await openContainerd({ root });
  await verify(containerd, (await pull(containerd)).chainId);
});

test('pulls of one image at once, and an aborted one among them, end with a true store', async () => {
  await using containerd = await openContainerd({ root });
  const stop = new AbortController();
  const aborted = registry.pull({
    reference: reference(),
    store: containerd.leased(containerd.leases.create().id),
    signal: stop.signal,
    onEvent: event => {
      if (event.kind === 'layer' && event.state === 'downloading') stop.abort();
    },
  });
  const [first, ...others] = await Promise.allSettled([aborted, pull(containerd), pull(containerd)]);
  assert.equal(first.status, 'rejected');
  for (const other of others) {
    assert.equal(other.status, 'fulfilled');
    if (other.status === 'fulfilled') await verify(containerd, other.value.chainId);
  }
});

test('the engine pushes what it pulled', async () => {
  await using containerd = await openContainerd({ root });
  const { target } = await pull(containerd);
  await using other = await ScriptedRegistry.start();
  const pushed = await registry.push({
    reference: parseReference(`${other.host}/y:v1`),
    target,
    content: containerd.content,
  });
  assert.equal(pushed.target.digest, image.top.descriptor.digest);
  assert.ok(other.manifests.has('y:v1'));
  assert.ok(other.blobs.get(layer.descriptor.digest)?.equals(layer.bytes));
});
