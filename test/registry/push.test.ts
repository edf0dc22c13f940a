import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { codeOf, describe } from '../../src/errdefs/index.ts';
import { mediaTypes } from '../../src/oci/index.ts';
import { type PushEvent, parseReference, Registry } from '../../src/registry/index.ts';
import { blob, makeImage, makeIndex, noise, type TestImage } from './images.ts';
import { MemoryStore } from './memory-store.ts';
import { account, type RunningRegistry, startRegistry } from './registry.ts';
import { refuse, ScriptedRegistry } from './scripted.ts';

const image = makeImage([{ small: 'x' }, { big: noise(300_000) }]);
const arm = makeImage([{ small: 'arm' }], { platform: { os: 'linux', architecture: 'arm64' } });
const amd64 = { os: 'linux', architecture: 'amd64' };

let real: RunningRegistry;
let scripted: ScriptedRegistry;
const registry = new Registry({ retry: { attempts: 3, baseMs: 1 }, answerTimeoutMs: 2000 });
before(async () => {
  real = await startRegistry();
  scripted = await ScriptedRegistry.start();
});
afterEach(() => {
  scripted.behave = exchange => exchange.next();
  scripted.requests.length = 0;
});
after(async () => {
  registry.close();
  await real[Symbol.asyncDispose]();
  await scripted[Symbol.asyncDispose]();
});

async function push(name: string, what: TestImage, store = MemoryStore.of(what), more: { chunkBytes?: number } = {}) {
  const events: PushEvent[] = [];
  const result = await registry.push({
    reference: parseReference(name),
    target: what.top.descriptor,
    content: store.content,
    onEvent: event => events.push(event),
    ...more,
  });
  return { result, events };
}

const layerStates = (events: readonly PushEvent[]): string[] => [
  ...new Set(events.flatMap(event => (event.kind === 'layer' ? [event.state] : []))),
];

async function pullBack(name: string) {
  const store = new MemoryStore();
  const result = await registry.pull({ reference: parseReference(name), store, platform: amd64 });
  store.verify();
  return result;
}

test('an image is pushed and can be pulled', async () => {
  const name = `${real.host}/push/one:v1`;
  const { result, events } = await push(name, image);
  assert.deepEqual(events[0], { kind: 'repository', name: `${real.host}/push/one` });
  assert.deepEqual(
    layerStates(events).filter(state => state !== 'pushing'),
    ['preparing', 'pushed'],
  );
  const last = events.at(-1);
  assert.ok(
    last?.kind === 'pushedManifest' && last.reference === 'v1' && last.target.digest === image.top.descriptor.digest,
  );
  assert.equal(result.partial, false);
  assert.equal((await pullBack(name)).target.digest, image.top.descriptor.digest);
});

test('a second push uploads nothing', async () => {
  await push(`${scripted.host}/twice:v1`, image);
  scripted.requests.length = 0;
  const { events } = await push(`${scripted.host}/twice:v1`, image);
  assert.deepEqual(layerStates(events), ['preparing', 'layerAlreadyExists']);
  assert.equal(scripted.count(/uploads/), 0);
});

test('layers known to lie in another repository of the registry are mounted from there', async () => {
  const mountable = makeImage([{ m: noise(5000, 5) }]);
  const store = MemoryStore.of(mountable);
  await push(`${real.host}/push/source:v1`, mountable, store);
  const { events } = await push(`${real.host}/push/target:v1`, mountable, store);
  const mounted = events.flatMap(event =>
    event.kind === 'layer' && event.state === 'mountedFrom' ? [event.repository] : [],
  );
  assert.deepEqual(mounted, ['push/source']);
  await pullBack(`${real.host}/push/target:v1`);
});

test('a mount that the registry does not do becomes an upload', async () => {
  const fresh = makeImage([{ m: noise(5000, 6) }]);
  const store = MemoryStore.of(fresh);
  for (const { labels } of store.blobs.values()) labels[`containerd.io/distribution.source.${real.host}`] = 'push/gone';
  await push(`${real.host}/push/unmounted:v1`, fresh, store);
  await pullBack(`${real.host}/push/unmounted:v1`);
});

test('an index goes after all that it lists', async () => {
  const name = `${real.host}/push/multi:v1`;
  const multi = makeIndex([image, arm]);
  await push(name, multi);
  const result = await pullBack(name);
  assert.equal(result.target.digest, multi.top.descriptor.digest);
  assert.equal(result.manifest.digest, image.top.descriptor.digest);
});

test('of an index of which one platform is here, that one is pushed, with a note', async () => {
  const multi = makeIndex([image, arm]);
  const store = MemoryStore.of(multi);
  store.blobs.delete(arm.top.descriptor.digest);
  const { result, events } = await push(`${real.host}/push/partial:v1`, multi, store);
  assert.equal(result.partial, true);
  assert.equal(result.target.digest, image.top.descriptor.digest);
  assert.ok(
    events.some(
      event => event.kind === 'note' && /only the available single-platform image was pushed/.test(event.message),
    ),
  );
});

test('what is missing is told by its platform', async () => {
  const multi = makeIndex([image, arm]);
  const store = MemoryStore.of(multi);
  for (const { descriptor } of [...image.blobs, ...arm.blobs]) store.blobs.delete(descriptor.digest);
  await assert.rejects(push(`${real.host}/push/missing:v1`, multi, store), (err: Error) => {
    assert.match(err.message, /content digest sha256:[0-9a-f]+ \(the image for linux\/amd64\): not found/);
    return codeOf(err) === 'NotFound';
  });
});

test('blobs are uploaded in chunks when asked', async () => {
  const chunky = makeImage([{ c: noise(100_000, 8) }]);
  await push(`${real.host}/push/chunks:v1`, chunky, undefined, { chunkBytes: 30_000 });
  await pullBack(`${real.host}/push/chunks:v1`);
});

test('a registry that takes less of a chunk than was sent is sent the rest', async () => {
  const chunky = makeImage([{ c: noise(100_000, 9) }]);
  let once = true;
  scripted.behave = ({ request, response, next }) => {
    if (request.method !== 'PATCH' || request.headers['content-length'] !== '30000' || !once) return next();
    once = false;
    const id = /uploads\/(\d+)/.exec(request.path)?.[1] as string;
    scripted.uploads.set(id, chunky.blobs[1]?.bytes.subarray(0, 10_000) as Buffer);
    response.writeHead(202, { location: request.path, range: '0-9999' }).end();
  };
  await push(`${scripted.host}/less:v1`, chunky, undefined, { chunkBytes: 30_000 });
});

test('an upload whose connection breaks is begun again', async () => {
  const broken = makeImage([{ b: noise(400_000, 10) }]);
  let left = 2;
  scripted.behave = ({ request, socket, next }) => {
    if (request.method === 'PUT' && request.path.includes('uploads') && left-- > 0)
      setTimeout(() => socket.destroy(), 5);
    else next();
  };
  const { events } = await push(`${scripted.host}/broken:v1`, broken);
  assert.ok(layerStates(events).includes('pushed'));
});

test('a refusal in the middle of an upload is told', async () => {
  const refused = makeImage([{ b: noise(3_000_000, 11) }]);
  scripted.behave = ({ request, response, next }) => {
    if (request.method === 'PUT' && request.path.includes('uploads'))
      refuse(response, 413, 'SIZE_INVALID', 'too large');
    else next();
  };
  await assert.rejects(push(`${scripted.host}/refused:v1`, refused), (err: Error) => {
    assert.equal(describe(err), 'size invalid: too large');
    return true;
  });
});

test('a manifest that the registry refuses is told', async () => {
  scripted.behave = ({ request, response, next }) => {
    if (request.method === 'PUT' && request.path.includes('manifests'))
      refuse(response, 400, 'MANIFEST_INVALID', 'manifest invalid');
    else next();
  };
  await assert.rejects(push(`${scripted.host}/invalid:v1`, image), { message: 'manifest invalid: manifest invalid' });
});

test('push without credentials is told in the words of Docker, and works with them', async () => {
  await using basic = await startRegistry({ auth: 'basic' });
  const options = {
    reference: parseReference(`${basic.host}/x:v1`),
    target: image.top.descriptor,
    content: MemoryStore.of(image).content,
  };
  await assert.rejects(registry.push(options), { message: 'no basic auth credentials', code: 'Unknown' });
  await registry.push({ ...options, auth: account });
});

test('artifacts about an image are found, by the fallback tag where the registry knows no referrers', async () => {
  const signature = blob(mediaTypes.ociManifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: 'application/x-signature',
    config: image.blobs[0]?.descriptor,
    layers: [],
    subject: image.top.descriptor,
  });
  const list = makeIndex([]);
  const index = blob(mediaTypes.ociIndex, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [{ ...signature.descriptor, artifactType: 'application/x-signature' }],
  });
  const name = `${real.host}/push/one`;
  const tag = image.top.descriptor.digest.replace(':', '-');
  const store = MemoryStore.of({ ...list, top: index, children: [signature], blobs: image.blobs });
  await registry.push({
    reference: parseReference(`${name}:${tag}`),
    target: index.descriptor,
    content: store.content,
  });
  const reference = parseReference(`${name}@${image.top.descriptor.digest}`);
  const found = await registry.referrers({ reference });
  assert.deepEqual(
    found.map(entry => entry.digest),
    [signature.descriptor.digest],
  );
  assert.deepEqual(await registry.referrers({ reference, artifactType: 'text/other' }), []);
});

test('artifacts about an image are found by the referrers endpoint, page by page, of one type or of all', async () => {
  const about = (artifactType: string) => {
    const made = blob(mediaTypes.ociManifest, { artifactType });
    return { ...made, descriptor: { ...made.descriptor, artifactType } };
  };
  scripted.referrers = [about('a/sig'), about('a/sbom'), about('a/sig')];
  const reference = parseReference(`${scripted.host}/r@${image.top.descriptor.digest}`);
  assert.equal((await registry.referrers({ reference })).length, 3);
  assert.equal((await registry.referrers({ reference, artifactType: 'a/sig' })).length, 2);
  scripted.behave = ({ response }) => {
    const link = `</v2/r/referrers/${image.top.descriptor.digest}?again>; rel="next"`;
    response.writeHead(200, { 'content-type': mediaTypes.ociIndex, link });
    response.end(JSON.stringify({ schemaVersion: 2, manifests: [] }));
  };
  await assert.rejects(registry.referrers({ reference }), /lists referrers without an end/);
});

test('tags are listed page by page, what is no tag left out', async () => {
  scripted.behave = ({ request, response }) => {
    const last = new URL(request.path, scripted.url).searchParams.get('last');
    const tags = last === null ? ['a', 'b', '../x', 5] : ['c'];
    response.writeHead(200, last === null ? { link: '</v2/t/tags/list?last=b>; rel="next"' } : {});
    response.end(JSON.stringify({ name: 't', tags }));
  };
  assert.deepEqual(await registry.tags({ reference: parseReference(`${scripted.host}/t`) }), ['a', 'b', 'c']);
});

test('search asks the host in front of the term, and tells what came of it', async () => {
  scripted.behave = ({ request, response }) => {
    assert.equal(request.path, '/v1/search?q=web&n=3');
    const results = [{ name: 'web', description: 'd\u001b[31m', star_count: 4, is_official: true }, { name: 'w2' }];
    response.end(JSON.stringify({ results }));
  };
  const found = await registry.search({ term: `${scripted.host}/web`, limit: 3 });
  assert.deepEqual(found.results, [
    { name: 'web', description: 'd[31m', star_count: 4, is_official: true, is_automated: false },
    { name: 'w2', description: '', star_count: 0, is_official: false, is_automated: false },
  ]);
  await assert.rejects(registry.search({ term: 'x', limit: 101 }), /limit 101 is outside the range of \[1, 100\]/);
});

test('a mount that the token server does not want to allow becomes an upload', async () => {
  const fresh = makeImage([{ m: noise(5000, 20) }]);
  const store = MemoryStore.of(fresh);
  for (const { labels } of store.blobs.values())
    labels[`containerd.io/distribution.source.${scripted.host}`] = 'private';
  scripted.behave = ({ request, response, next }) => {
    if (request.path.startsWith('/token')) {
      if (request.path.includes('private')) response.writeHead(403).end('{}');
      else response.end('{"token":"t"}');
    } else if (request.headers.authorization !== 'Bearer t') {
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${scripted.url}/token",service="s"` }).end();
    } else next();
  };
  using own = new Registry({ retry: { attempts: 1 } });
  await own.push({
    reference: parseReference(`${scripted.host}/mine:v1`),
    target: fresh.top.descriptor,
    content: store.content,
  });
  assert.ok(scripted.manifests.has('mine:v1'));
});
