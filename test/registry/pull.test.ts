import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { describe, isNotFound } from '../../src/errdefs/index.ts';
import { formatPlatform, parsePlatform } from '../../src/oci/index.ts';
import { type PullEvent, parseReference, Registry } from '../../src/registry/index.ts';
import { makeImage, makeIndex, noise, publish } from './images.ts';
import { MemoryStore } from './memory-store.ts';
import { type RunningRegistry, startRegistry } from './registry.ts';

let server: RunningRegistry;
const registry = new Registry({ retry: { baseMs: 1 } });
const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64' };

const one = makeImage([{ a: 'a' }, { big: noise(300_000) }]);
const other = makeImage([{ c: 'arm' }], { platform: arm64 });
const multi = makeIndex([one, other]);

before(async () => {
  server = await startRegistry();
  await publish(server.url, 'test/one', 'latest', one);
  await publish(server.url, 'test/docker', 'v1', makeImage([{ d: 'd' }], { docker: true }));
  await publish(server.url, 'test/multi', 'latest', multi);
});
after(async () => {
  registry.close();
  await server[Symbol.asyncDispose]();
});

async function pull(name: string, store: MemoryStore, platform = amd64) {
  const events: PullEvent[] = [];
  const reference = parseReference(`${server.host}/${name}`);
  const result = await registry.pull({ reference, store, platform, onEvent: event => events.push(event) });
  store.verify();
  return { result, events };
}

const states = (events: readonly PullEvent[], index: number, image = one): string[] =>
  events.flatMap(event =>
    event.kind === 'layer' && event.digest === image.blobs[index]?.descriptor.digest ? [event.state] : [],
  );

test('an image is pulled over plain HTTP from loopback without a flag, with the states that Docker shows', async () => {
  const store = new MemoryStore();
  const { result, events } = await pull('test/one', store);
  assert.equal(result.target.digest, one.top.descriptor.digest);
  assert.equal(result.manifest.digest, result.target.digest);
  assert.deepEqual(result.config.config?.Cmd, ['/bin/true']);
  assert.equal(result.upToDate, false);
  assert.equal(store.snapshots.size, 2);
  assert.ok(result.chainId !== undefined && store.snapshots.has(result.chainId as never));
  assert.deepEqual(events[0], { kind: 'pulling', path: 'test/one', tag: 'latest' });
  const seen = states(events, 2);
  assert.equal(seen[0], 'pullingFsLayer');
  assert.deepEqual(seen.slice(-4), ['verifyingChecksum', 'downloadComplete', 'extracting', 'pullComplete']);
  assert.ok(seen.includes('downloading'));
});

test('a second pull fetches nothing and says so', async () => {
  const store = new MemoryStore();
  await pull('test/one', store);
  const { result, events } = await pull('test/one', store);
  assert.equal(result.upToDate, true);
  assert.deepEqual(events, [{ kind: 'pulling', path: 'test/one', tag: 'latest' }]);
});

test('a layer that another image brought is not fetched again', async () => {
  const store = new MemoryStore();
  await pull('test/one', store);
  await publish(server.url, 'test/more', 'latest', makeImage([{ a: 'a' }, { more: 'm' }]));
  const { events } = await pull('test/more', store);
  assert.deepEqual(states(events, 1), ['alreadyExists']);
});

test('the manifest for the platform is chosen from an index, and the index is the target', async () => {
  const store = new MemoryStore();
  const { result } = await pull('test/multi', store, arm64);
  assert.equal(result.target.digest, multi.top.descriptor.digest);
  assert.equal(result.manifest.digest, other.top.descriptor.digest);
  assert.equal(result.config.architecture, 'arm64');
  assert.ok(!store.blobs.has(one.top.descriptor.digest), 'the other platform is not fetched');
});

test('a platform that an index does not have is told in the words of Docker', async () => {
  await assert.rejects(pull('test/multi', new MemoryStore(), parsePlatform('linux/s390x')), (err: Error) => {
    assert.equal(err.message, 'no matching manifest for linux/s390x in the manifest list entries');
    return isNotFound(err);
  });
});

test('a single manifest of another platform is pulled, with a warning', async () => {
  const { events } = await pull('test/one', new MemoryStore(), arm64);
  assert.deepEqual(
    events.filter(event => event.kind === 'warning'),
    [
      {
        kind: 'warning',
        message: `WARNING: image with reference ${server.host}/test/one was found but its platform (linux/amd64) does not match the specified platform (${formatPlatform(arm64)})`,
      },
    ],
  );
});

test('Docker schema 2 images and pulls by digest work', async () => {
  await pull('test/docker:v1', new MemoryStore());
  const { result } = await pull(`test/one@${one.top.descriptor.digest}`, new MemoryStore());
  assert.equal(result.target.digest, one.top.descriptor.digest);
});

test('an unknown tag, repository and digest are NotFound in the words of Docker', async () => {
  const missing = `sha256:${'a'.repeat(64)}`;
  for (const name of ['test/one:nope', 'test/nowhere:latest', `test/one@${missing}`]) {
    await assert.rejects(pull(name, new MemoryStore()), (err: Error) => {
      assert.equal(describe(err), `manifest for ${server.host}/${name} not found: manifest unknown: manifest unknown`);
      return isNotFound(err);
    });
  }
});

test('an interrupted pull resumes where the ingest ends', async () => {
  const store = new MemoryStore();
  const layer = one.blobs[2];
  assert.ok(layer);
  store.ingests.set(`layer-${layer.descriptor.digest}`, layer.bytes.subarray(0, 100_000));
  const { events } = await pull('test/one', store);
  const first = events.find(
    event => event.kind === 'layer' && event.state === 'downloading' && event.digest === layer.descriptor.digest,
  );
  assert.ok(first?.kind === 'layer' && first.state === 'downloading' && first.current > 100_000);
});

test('an aborted pull rejects with the reason and leaves its ingests for the next', async () => {
  const store = new MemoryStore();
  store.writeDelayMs = 20;
  const stop = new AbortController();
  const reference = parseReference(`${server.host}/test/one`);
  const pulling = registry.pull({
    reference,
    store,
    signal: stop.signal,
    onEvent: event => {
      if (event.kind === 'layer' && event.state === 'downloading') stop.abort();
    },
  });
  await assert.rejects(pulling, { name: 'AbortError' });
  store.verify();
  store.writeDelayMs = 0;
  await pull('test/one', store);
});

test('a registry that is not there is told in the words of Go', async () => {
  const reference = parseReference('127.0.0.1:1/x');
  await assert.rejects(registry.pull({ reference, store: new MemoryStore() }), (err: Error) => {
    assert.equal(describe(err), 'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused');
    return true;
  });
});

test('scratch is reserved', async () => {
  const pulling = registry.pull({ reference: parseReference('scratch'), store: new MemoryStore() });
  await assert.rejects(pulling, { code: 'PermissionDenied', message: "'scratch' is a reserved name" });
});

test('tags, inspect and resolve answer without pulling', async () => {
  const reference = parseReference(`${server.host}/test/multi`);
  assert.deepEqual(await registry.tags({ reference }), ['latest']);
  assert.equal((await registry.resolve({ reference })).digest, multi.top.descriptor.digest);
  assert.deepEqual((await registry.inspect({ reference })).Platforms, [amd64, arm64]);
  const single = await registry.inspect({ reference: parseReference(`${server.host}/test/one`) });
  assert.deepEqual(single, {
    Descriptor: {
      mediaType: one.top.descriptor.mediaType,
      digest: one.top.descriptor.digest,
      size: one.top.descriptor.size,
    },
    Platforms: [amd64],
  });
});

test('tags of an unknown repository are NotFound in the words of Docker', async () => {
  await assert.rejects(registry.tags({ reference: parseReference(`${server.host}/test/nowhere`) }), (err: Error) => {
    assert.equal(
      err.message,
      `repository ${server.host}/test/nowhere not found: name unknown: repository name not known to registry`,
    );
    return isNotFound(err);
  });
});
