import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { describe } from '../../src/errdefs/index.ts';
import { parseReference, Registry } from '../../src/registry/index.ts';
import { makeImage, noise, publish } from './images.ts';
import { MemoryStore } from './memory-store.ts';
import { type RunningRegistry, startRegistry, testdata } from './registry.ts';
import { refuse, ScriptedRegistry } from './scripted.ts';

const image = makeImage([{ a: 'tls' }, { b: noise(70_000) }]);
let directory: string;
let secure: RunningRegistry;
let client: RunningRegistry;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-certs-'));
  secure = await startRegistry({ tls: true });
  client = await startRegistry({ tls: 'client' });
  using registry = new Registry();
  await push(registry, secure.host);
});
after(async () => {
  await secure[Symbol.asyncDispose]();
  await client[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const push = (registry: Registry, host: string) =>
  registry.push({
    reference: parseReference(`${host}/x`),
    target: image.top.descriptor,
    content: MemoryStore.of(image).content,
  });
const pull = (registry: Registry, name: string) =>
  registry.pull({
    reference: parseReference(name),
    store: new MemoryStore(),
    platform: { os: 'linux', architecture: 'amd64' },
  });

/** A folder of certs.d with the given files for a host. */
async function certs(host: string, files: readonly string[]): Promise<string> {
  const root = await mkdtemp(join(directory, 'd-'));
  await mkdir(join(root, host));
  for (const file of files) await copyFile(join(testdata, file), join(root, host, file));
  return root;
}

/** `localhost` has the certificate too, and is not an address: a host that is not insecure by itself can be had by hosts.toml. */
async function hostsToml(domain: string, text: string): Promise<string> {
  const root = await mkdtemp(join(directory, 'd-'));
  await mkdir(join(root, domain));
  await writeFile(join(root, domain, 'hosts.toml'), text);
  return root;
}

test('loopback registries are spoken to by TLS that nobody vouches for', async () => {
  using registry = new Registry({ certsDirs: [] });
  await pull(registry, `${secure.host}/x`);
});

test('a certificate of an unknown authority is refused where the registry is not insecure', async () => {
  using registry = new Registry({ certsDirs: [await hostsToml('private.test', `server = "${secure.url}"\n`)] });
  await assert.rejects(pull(registry, 'private.test/x'), (err: Error) => {
    assert.match(
      describe(err),
      /^Get "https:\/\/127\.0\.0\.1:\d+\/v2\/": tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
    );
    return true;
  });
});

test('with its CA in hosts.toml it is accepted', async () => {
  using registry = new Registry({
    certsDirs: [await hostsToml('private.test', `server = "${secure.url}"\nca = "${testdata}/ca.crt"\n`)],
  });
  await pull(registry, 'private.test/x');
});

test('skip_verify accepts any', async () => {
  using registry = new Registry({
    certsDirs: [await hostsToml('private.test', `server = "${secure.url}"\nskip_verify = true\n`)],
  });
  await pull(registry, 'private.test/x');
});

test('a client certificate of certs.d is shown to the registry', async () => {
  using without = new Registry({ certsDirs: [] });
  await assert.rejects(pull(without, `${client.host}/x`));
  using registry = new Registry({ certsDirs: [await certs(client.host, ['ca.crt', 'client.cert', 'client.key'])] });
  await push(registry, client.host);
  await pull(registry, `${client.host}/x`);
});

test('a client certificate without its key is told in the words of Docker', async () => {
  using registry = new Registry({ certsDirs: [await certs(client.host, ['client.cert'])] });
  await assert.rejects(pull(registry, `${client.host}/x`), /missing key client.key for client certificate client.cert/);
});

test('a mirror of hosts.toml is asked first, told whose repository is wanted, and never gets credentials', async () => {
  await using mirror = await ScriptedRegistry.start();
  await using own = await ScriptedRegistry.start();
  for (const host of [mirror, own]) host.add('x', 'latest', image);
  const text = `server = "${own.url}"\n\n[host."${mirror.url}"]\n  capabilities = ["pull", "resolve"]\n  [host."${mirror.url}".header]\n    x-mirror = ["a"]\n`;
  using registry = new Registry({ certsDirs: [await hostsToml('private.test', text)], retry: { attempts: 1 } });
  const auth = { username: 'u', password: 'p' };
  const get = () => registry.pull({ reference: parseReference('private.test/x'), store: new MemoryStore(), auth });
  await get();
  assert.equal(own.requests.length, 0);
  assert.ok(mirror.requests.some(({ path }) => path.includes('ns=private.test')));
  assert.ok(mirror.requests.every(({ headers }) => headers['x-mirror'] === 'a' && headers.authorization === undefined));
  // The mirror lacks it, is broken, or demands what we do not give: the registry itself is asked.
  for (const [status, code] of [
    [404, 'MANIFEST_UNKNOWN'],
    [500, 'UNKNOWN'],
    [401, 'UNAUTHORIZED'],
  ] as const) {
    mirror.behave = ({ response }) => refuse(response, status, code, 'no', { 'www-authenticate': 'Basic realm="x"' });
    own.requests.length = 0;
    await get();
    assert.ok(own.requests.length > 0);
  }
});

test('a mirror with a wrong layer is passed over for the registry itself', async () => {
  await using mirror = await ScriptedRegistry.start();
  await using own = await ScriptedRegistry.start();
  for (const host of [mirror, own]) host.add('x', 'latest', image);
  const layer = image.blobs[2]?.descriptor;
  assert.ok(layer);
  mirror.blobs.set(layer.digest, noise(layer.size, 99));
  const text = `server = "${own.url}"\n[host."${mirror.url}"]\ncapabilities = ["pull", "resolve"]\n`;
  using registry = new Registry({ certsDirs: [await hostsToml('private.test', text)] });
  await pull(registry, 'private.test/x');
  assert.equal(own.count(/GET .*blobs/), 1);
});

test('a mirror of Docker Hub serves its repositories; a mirror that is away is passed over', async () => {
  await using mirror = await ScriptedRegistry.start();
  mirror.add('library/x', 'latest', image);
  using registry = new Registry({
    certsDirs: [],
    mirrors: ['http://127.0.0.1:1', `${mirror.url}/`],
    retry: { attempts: 1 },
  });
  await pull(registry, 'x');
  assert.equal(mirror.count(/GET .*blobs/), 3);
});

test('a pull-through cache of a registry is a mirror like any other', async () => {
  await using origin = await startRegistry();
  await publish(origin.url, 'x', 'latest', image);
  await using cache = await startRegistry({ proxyOf: origin.url });
  using registry = new Registry({ certsDirs: [await hostsToml('private.test', `server = "${cache.url}"\n`)] });
  await pull(registry, 'private.test/x');
});
