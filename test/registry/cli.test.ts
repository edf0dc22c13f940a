// The real docker CLI against our engine and Debian's docker-registry: the lines and errors that people and scripts read. Each of
// them was seen with the real engine first.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Engine, startEngine } from '../harness/engine.ts';
import { makeImage, makeIndex, noise, publish } from './images.ts';
import { account, type RunningRegistry, startRegistry } from './registry.ts';
import { ScriptedRegistry } from './scripted.ts';

const image = makeImage([{ a: 'a' }, { b: noise(300_000) }]);
const more = makeImage([{ a: 'a' }, { more: 'more' }]);
const arm = makeImage([{ a: 'arm' }], { platform: { os: 'linux', architecture: 'arm64' } });
const [first, second] = image.blobs.slice(1).map(({ descriptor }) => descriptor.digest.slice(7, 19));

let engine: Engine;
let open: RunningRegistry;
let closed: RunningRegistry;
before(async () => {
  // One after the other, so that whatever was started is known when the next one fails.
  open = await startRegistry();
  closed = await startRegistry({ auth: 'basic' });
  engine = await startEngine({ empty: true });
  await publish(open.url, 'x/one', 'latest', image);
  await publish(open.url, 'x/one', 'v2', image);
  await publish(open.url, 'x/more', 'latest', more);
  await publish(open.url, 'x/multi', 'latest', makeIndex([image, arm]));
});
after(async () => {
  await engine?.[Symbol.asyncDispose]();
  await open?.[Symbol.asyncDispose]();
  await closed?.[Symbol.asyncDispose]();
});

const lines = (text: string): string[] => text.trimEnd().split('\n');

test('pull prints what Docker prints', async () => {
  const name = `${open.host}/x/one`;
  const printed = lines(await engine.ok('pull', name));
  assert.deepEqual(printed.slice(0, 2), ['Using default tag: latest', 'latest: Pulling from x/one']);
  assert.deepEqual(printed.slice(-3), [
    `Digest: ${image.top.descriptor.digest}`,
    `Status: Downloaded newer image for ${name}:latest`,
    `${name}:latest`,
  ]);
  for (const id of [first, second]) {
    const states = printed.filter(line => line.startsWith(`${id}: `)).map(line => line.slice(14));
    assert.deepEqual(states, ['Pulling fs layer', 'Verifying Checksum', 'Download complete', 'Pull complete']);
  }
  assert.deepEqual(lines(await engine.ok('pull', name)), [
    'Using default tag: latest',
    'latest: Pulling from x/one',
    `Digest: ${image.top.descriptor.digest}`,
    `Status: Image is up to date for ${name}:latest`,
    `${name}:latest`,
  ]);
});

test('a layer that is there is said to exist', async () => {
  const printed = await engine.ok('pull', `${open.host}/x/more`);
  assert.match(printed, new RegExp(`^${first}: Already exists$`, 'm'));
});

test('pull -a pulls all tags, pull by digest and quiet pull print their names', async () => {
  const name = `${open.host}/x/one`;
  const printed = await engine.ok('pull', '-a', name);
  assert.match(printed, /^latest: Pulling from x\/one$/m);
  assert.match(printed, /^v2: Pulling from x\/one$/m);
  assert.equal(lines(printed).at(-1), name);
  assert.equal(await engine.ok('pull', '-q', `${name}:v2`), `${name}:v2`);
  const byDigest = `${name}@${image.top.descriptor.digest}`;
  assert.equal(lines(await engine.ok('pull', byDigest)).at(-1), byDigest);
});

const refusals: [what: string, args: (host: string) => string[], message: (host: string) => string][] = [
  [
    'an unknown tag',
    host => ['pull', `${host}/x/one:nope`],
    host => `manifest for ${host}/x/one:nope not found: manifest unknown: manifest unknown`,
  ],
  [
    'an unknown repository',
    host => ['pull', `${host}/no:t`],
    host => `manifest for ${host}/no:t not found: manifest unknown: manifest unknown`,
  ],
  [
    'all tags of an unknown repository',
    host => ['pull', '-a', `${host}/no`],
    host => `repository ${host}/no not found: name unknown: repository name not known to registry`,
  ],
  [
    'a registry that is not there',
    () => ['pull', '127.0.0.1:1/x:y'],
    () => 'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
  ],
  ['scratch', () => ['pull', 'scratch:x'], () => "'scratch' is a reserved name"],
];
for (const [what, args, message] of refusals) {
  test(`pulling ${what} is refused in the words of Docker`, async () => {
    const outcome = await engine.docker(...args(open.host));
    assert.equal(outcome.code, 1);
    assert.equal(outcome.stderr, `Error response from daemon: ${message(open.host)}\n`);
  });
}

test('a platform is chosen, and missed, by name', async () => {
  const missed = await engine.docker('pull', '--platform', 'linux/s390x', `${open.host}/x/multi`);
  assert.equal(missed.stderr, 'no matching manifest for linux/s390x in the manifest list entries\n');
  await engine.ok('pull', '--platform', 'linux/arm64', `${open.host}/x/multi`);
  const warned = await engine.ok('pull', '--platform', 'linux/arm64', `${open.host}/x/one`);
  assert.match(
    warned,
    /^WARNING: image with reference .* was found but its platform \(linux\/amd64\) does not match the specified platform \(linux\/arm64\)$/m,
  );
});

test('login, push, a second push and a push of the same under another name print what Docker prints', async () => {
  await engine.ok('pull', `${open.host}/x/one`);
  const name = `${closed.host}/mine:1`;
  await engine.ok('tag', `${open.host}/x/one`, name);
  const refused = await engine.docker('push', name);
  assert.equal(refused.stderr, 'no basic auth credentials\n');
  assert.equal(
    (await engine.docker('pull', `${closed.host}/mine:2`)).stderr,
    `Error response from daemon: Head "http://${closed.host}/v2/mine/manifests/2": no basic auth credentials\n`,
  );

  const login = (password: string) =>
    engine.dockerWith({ stdin: password }, 'login', '-u', account.username, '--password-stdin', closed.host);
  const wrong = await login('wrong');
  assert.equal(wrong.code, 1);
  assert.equal(
    wrong.stderr,
    `Error response from daemon: login attempt to http://${closed.host}/v2/ failed with status: 401 Unauthorized\n`,
  );
  assert.match((await login(account.password)).stdout, /^Login Succeeded$/m);

  const size = image.top.descriptor.size;
  const end = `1: digest: ${image.top.descriptor.digest} size: ${size}`;
  const said = (printed: string, state: string) => {
    assert.equal(lines(printed)[0]?.startsWith('The push refers to repository ['), true);
    for (const id of [first, second]) assert.ok(lines(printed).includes(`${id}: ${state}`), printed);
    assert.equal(lines(printed).at(-1), end);
  };
  said(await engine.ok('push', name), 'Pushed');
  said(await engine.ok('push', name), 'Layer already exists');
  await engine.ok('tag', name, `${closed.host}/yours:1`);
  said(await engine.ok('push', `${closed.host}/yours:1`), 'Mounted from mine');
  said(await engine.ok('push', '-a', `${closed.host}/yours`), 'Layer already exists');
  const missing = await engine.docker('push', `${closed.host}/none:1`);
  assert.equal(missing.stderr, `An image does not exist locally with the tag: ${closed.host}/none\n`);
});

test('a daemon killed in the middle of a pull resumes it after its next start', async () => {
  await using slow = await ScriptedRegistry.start();
  const large = makeImage([{ large: noise(4_000_000, 3) }]);
  slow.add('x', 'latest', large);
  const layer = large.blobs[1];
  assert.ok(layer);
  const { size, digest } = layer.descriptor;
  const sent = Promise.withResolvers<void>();
  slow.behave = ({ request, response, next }) => {
    if (request.method !== 'GET' || !request.path.includes(digest)) return next();
    response.writeHead(200, { 'content-length': size });
    response.write(layer.bytes.subarray(0, 1_000_000), () => setTimeout(sent.resolve, 300));
  };
  const pulling = engine.docker('pull', '-q', `${slow.host}/x`);
  await Promise.race([sent.promise, late(20_000)]);
  await engine.stop('SIGKILL');
  assert.notEqual((await pulling).code, 0);
  slow.behave = exchange => exchange.next();
  slow.requests.length = 0;
  await engine.start();
  await engine.ok('pull', '-q', `${slow.host}/x`);
  const asked = slow.requests.filter(({ path, method }) => method === 'GET' && path.includes(digest));
  assert.deepEqual(
    asked.map(({ headers }) => headers.range),
    [`bytes=1000000-${size - 1}`],
  );
});

test('a daemon killed in the middle of a push pushes after its next start', async () => {
  await using slow = await ScriptedRegistry.start();
  const name = `${slow.host}/y:1`;
  await engine.ok('pull', '-q', `${open.host}/x/one`);
  await engine.ok('tag', `${open.host}/x/one`, name);
  const sent = Promise.withResolvers<void>();
  slow.behave = ({ request, next }) => {
    if (request.method === 'PUT') setTimeout(sent.resolve, 100);
    else next();
  };
  const pushing = engine.docker('push', '-q', name);
  await Promise.race([sent.promise, late(20_000)]);
  await engine.stop('SIGKILL');
  assert.notEqual((await pushing).code, 0);
  assert.equal(slow.manifests.size, 0);
  slow.behave = exchange => exchange.next();
  await engine.start();
  await engine.ok('push', '-q', name);
  assert.ok(slow.manifests.has('y:1'));
});

test('a client that hangs up ends its pull', async () => {
  await using slow = await ScriptedRegistry.start();
  const large = makeImage([{ large: noise(2_000_000, 4) }]);
  slow.add('x', 'latest', large);
  const layer = large.blobs[1]?.descriptor;
  assert.ok(layer);
  const reached = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<boolean>();
  slow.behave = ({ request, response, socket, next }) => {
    if (request.method !== 'GET' || !request.path.includes(layer.digest)) return next();
    response.writeHead(200, { 'content-length': layer.size });
    response.flushHeaders();
    socket.once('close', () => ended.resolve(true));
    reached.resolve();
  };
  const client = spawn('docker', ['pull', `${slow.host}/x`], { env: engine.clientEnv, stdio: 'ignore' });
  await Promise.race([reached.promise, late(20_000)]);
  client.kill('SIGKILL');
  assert.equal(await Promise.race([ended.promise, late(20_000)]), true);
});

const late = (ms: number): Promise<boolean> => sleep(ms, false, { ref: false });
