import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { startFakeEngine } from '../testing/fake-engine.ts';
import { parseEndpoint } from './endpoint.ts';
import { Engine } from './engine.ts';

const directory = mkdtempSync(`${tmpdir()}/berth-client-http-`);
after(() => rmSync(directory, { recursive: true }));
let sockets = 0;

/** A server that answers every request with these bytes, cut into pieces of `size`. */
async function scripted(
  answer: string,
  size = 1_000_000,
): Promise<{ engine: Engine; server: Server; seen: string[] } & AsyncDisposable> {
  const path = `${directory}/${sockets++}.sock`;
  const seen: string[] = [];
  const open = new Set<Socket>();
  const server = createServer(socket => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('data', async chunk => {
      seen.push(chunk.toString());
      for (let at = 0; at < answer.length; at += size) {
        socket.write(answer.slice(at, at + size));
        if (size < answer.length) await new Promise(resolve => setImmediate(resolve));
      }
      if (!/content-length|chunked/i.test(answer)) socket.end();
    });
  });
  await new Promise<void>(resolve => server.listen(path, resolve));
  const engine = new Engine(parseEndpoint(`unix://${path}`), { version: '1.51' });
  return {
    engine,
    server,
    seen,
    [Symbol.asyncDispose]: async () => {
      engine.close();
      for (const socket of open) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

for (const size of [1, 3, 1000]) {
  test(`reads a chunked body that arrives in pieces of ${size}`, async () => {
    const body =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: 1\r\n\r\n';
    await using server = await scripted(body, size);
    assert.equal(await (await server.engine.request('GET', '/x')).text(), 'hello world');
  });
}

test('reads a counted body and uses the connection again', async () => {
  await using server = await scripted('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK');
  for (let i = 0; i < 3; i++) assert.equal(await (await server.engine.request('GET', '/x')).text(), 'OK');
  assert.equal(await new Promise(resolve => server.server.getConnections((_, count) => resolve(count))), 1);
});

test('a connection that the daemon closed meanwhile is not used again', async () => {
  const path = `${directory}/closing.sock`;
  let connections = 0;
  const server = createServer(socket => {
    connections++;
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK');
      // The second request gets the end of the connection for an answer.
      socket.once('data', () => socket.destroy());
    });
    socket.on('error', () => {});
  });
  await new Promise<void>(resolve => server.listen(path, resolve));
  const engine = new Engine(parseEndpoint(`unix://${path}`), { version: '1.51' });
  for (let i = 0; i < 2; i++) assert.equal(await (await engine.request('GET', '/x')).text(), 'OK');
  await assert.rejects(engine.request('POST', '/x'), { code: 'Unavailable' });
  assert.equal(connections, 2);
  engine.close();
  server.close();
});

test('reads a body that ends with the connection', async () => {
  await using server = await scripted('HTTP/1.0 200 OK\r\n\r\nall of it');
  assert.equal(await (await server.engine.request('GET', '/x')).text(), 'all of it');
});

for (const [what, answer] of [
  ['no HTTP at all', 'hello\r\n\r\n'],
  ['a broken chunk size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n'],
] as const) {
  test(`refuses ${what}`, async () => {
    await using server = await scripted(answer);
    await assert.rejects(async () => await (await server.engine.request('GET', '/x')).text(), { code: 'Unavailable' });
  });
}

test('a header line cannot be smuggled into a request', async () => {
  await using server = await scripted('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK');
  await (
    await server.engine.request('GET', '/x', { headers: { 'X-A': 'b\r\nX-Evil: 1' }, query: { q: 'a b&c' } })
  ).text();
  assert.doesNotMatch(server.seen[0]!, /^X-Evil/m);
  assert.match(server.seen[0]!, /^GET \/v1\.51\/x\?q=a%20b%26c HTTP\/1\.1\r\n/);
});

test('the first request goes without a ping; an older daemon makes it go again with its version', async () => {
  const path = `${directory}/old.sock`;
  await using fake = await startFakeEngine(path, '1.41');
  const engine = new Engine(parseEndpoint(`unix://${path}`));
  await engine.json('GET', '/containers/json');
  await engine.json('GET', '/info');
  engine.close();
  assert.deepEqual(
    fake.requests.map(request => `${request.method} ${request.url}`),
    ['GET /v1.51/containers/json', 'GET /v1.41/containers/json', 'GET /v1.41/info'],
  );
  assert.equal(engine.version, '1.41');
});

test("an error is the daemon's message, with its kind", async () => {
  const path = `${directory}/error.sock`;
  await using _fake = await startFakeEngine(path);
  const engine = new Engine(parseEndpoint(`unix://${path}`));
  await assert.rejects(engine.json('GET', '/containers/nope/json'), {
    code: 'NotFound',
    message: 'Error response from daemon: No such container: nope',
  });
  engine.close();
});

test('hosts are read as by Docker', () => {
  assert.deepEqual(parseEndpoint('').address, { kind: 'unix', path: '/var/run/docker.sock' });
  assert.deepEqual(parseEndpoint('unix:///x').address, { kind: 'unix', path: '/x' });
  assert.deepEqual(parseEndpoint('tcp://h:80/p/').address, { kind: 'tcp', host: 'h', port: 80, pathPrefix: '/p' });
  assert.deepEqual(parseEndpoint('tcp://[::1]').address, { kind: 'tcp', host: '::1', port: 2375, pathPrefix: '' });
  assert.deepEqual(parseEndpoint('tcp://h', { verify: true }).address, {
    kind: 'tcp',
    host: 'h',
    port: 2376,
    pathPrefix: '',
  });
  assert.throws(() => parseEndpoint('foo://x'), { message: 'invalid bind address format: foo://x' });
});
