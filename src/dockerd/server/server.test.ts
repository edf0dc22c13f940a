import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { routes, struct, text } from '../../api/index.ts';
import { Conflict, NotModified } from '../../errdefs/index.ts';
import { configFrom } from '../config/config.ts';
import { createLog } from '../log.ts';
import type { Handler } from './call.ts';
import { readOn } from './hijack.ts';
import { listen } from './listen.ts';
import { ApiServer, type Handlers } from './server.ts';

const quiet = createLog('fatal');

async function serve(handlers: Partial<Handlers>) {
  const directory = mkdtempSync(path.join(tmpdir(), 'berth-server-'));
  const socket = path.join(directory, 's.sock');
  const missing: Handler = () => {
    throw new Error('no handler');
  };
  const all = Object.fromEntries(routes.map(({ name }) => [name, missing])) as unknown as Handlers;
  const api = new ApiServer({
    handlers: { ...all, ...handlers },
    engineVersion: '28.5.2',
    minApiVersion: '1.24',
    experimental: false,
    log: quiet,
  });
  const listener = await listen(`unix://${socket}`, api, configFrom(new Map()), quiet);
  return {
    socket,
    listen: () => listen(`unix://${socket}`, api, configFrom(new Map()), quiet),
    async [Symbol.asyncDispose]() {
      await listener.close(0);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Sends bytes, ends the sending side where asked, and answers everything that comes back. */
function exchange(socket: string, parts: readonly string[], options: { halfClose?: boolean } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = net.connect({ path: socket, allowHalfOpen: true });
    let answer = '';
    connection.setEncoding('latin1');
    connection.on('data', chunk => {
      answer += chunk;
    });
    connection.on('end', () => {
      connection.destroy();
      resolve(answer);
    });
    connection.on('error', reject);
    void (async () => {
      for (const part of parts) {
        connection.write(part);
        await new Promise(wait => setTimeout(wait, 20));
      }
      if (options.halfClose === true) connection.end();
    })();
  });
}

const get = (target: string, more = ''): string =>
  `GET ${target} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n${more}\r\n`;
const body = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);

test('versions, unknown paths and errors as Docker answers them, with its headers on all', async () => {
  await using server = await serve({
    info: call => call.json(200, { version: call.version }),
    version: () => {
      throw new Conflict('no, because <of> this');
    },
    containerStart: () => {
      throw new NotModified('already');
    },
  });
  const ask = (target: string) => exchange(server.socket, [get(target)]);
  assert.equal(body(await ask('/info')), '{"version":"1.51"}\n');
  assert.equal(body(await ask('/v1.30/info')), '{"version":"1.30"}\n');
  assert.match(
    await ask('/v1.23/info'),
    /^HTTP\/1.1 400 [\s\S]*client version 1.23 is too old. Minimum supported API version is 1.24/,
  );
  assert.match(
    await ask('/v1.99/info'),
    /^HTTP\/1.1 400 [\s\S]*client version 1.99 is too new. Maximum supported API version is 1.51/,
  );
  const unknown = await ask('/nosuch');
  assert.match(unknown, /^HTTP\/1.1 404 /);
  assert.equal(body(unknown), '{"message":"page not found"}\n');
  const conflict = await ask('/version');
  assert.match(conflict, /^HTTP\/1.1 409 /);
  assert.match(conflict, /Api-Version: 1.51\r\n[\s\S]*Ostype: linux\r\n[\s\S]*Server: Docker\/28.5.2 \(linux\)\r\n/);
  assert.equal(body(conflict), '{"message":"no, because <of> this"}\n');
  const unchanged = await exchange(server.socket, [
    'POST /containers/x/start HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n',
  ]);
  assert.match(unchanged, /^HTTP\/1.1 304 /);
  assert.equal(body(unchanged), '');
});

test('bodies: their type, their JSON, keys in any case; forms count as parameters', async () => {
  await using server = await serve({
    auth: async call => call.json(200, await call.body(struct('AuthConfig', { username: text() }), 'AuthConfig')),
    imageTag: call => call.json(200, { repo: call.query.text('repo'), name: call.param('name') }),
  });
  const post = (target: string, type: string, content: string) =>
    exchange(server.socket, [
      `POST ${target} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n${type === '' ? '' : `Content-Type: ${type}\r\n`}Content-Length: ${content.length}\r\n\r\n${content}`,
    ]);
  assert.equal(
    body(await post('/auth', 'application/json; charset=utf-8', '{"UserName":"ada","x":1}')),
    '{"username":"ada"}\n',
  );
  assert.match(
    await post('/auth', 'text/plain', '{}'),
    /unsupported Content-Type header \(text\/plain\): must be 'application\/json'/,
  );
  assert.match(await post('/auth', 'application/json', '{} {}'), /unexpected content after JSON/);
  assert.match(await post('/auth', 'application/json', '{"a'), /^HTTP\/1.1 400 [\s\S]*invalid JSON: /);
  assert.equal(
    body(await post('/images/a/b:c/tag', 'application/x-www-form-urlencoded', 'repo=x%2Fy')),
    '{"repo":"x/y","name":"a/b:c"}\n',
  );
});

const echo: Handler = async call => {
  if (call.hasBody) await call.jsonText();
  const { socket, head } = call.hijack({ upgraded: 'multi', plain: 'raw' });
  socket.write(`[${head}]`);
  socket.on('data', chunk => socket.write(chunk));
  socket.on('end', () => socket.end('|end'));
  readOn(socket);
};

test('a connection leaves HTTP, with an Upgrade header or without; a half close is the end of input only', async () => {
  await using server = await serve({ containerAttach: echo, execStart: echo });
  const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';
  const upgraded = await exchange(
    server.socket,
    [`POST /containers/x/attach HTTP/1.1\r\nHost: d\r\n${upgrade}\r\nearly `, 'late'],
    { halfClose: true },
  );
  assert.match(upgraded, /^HTTP\/1.1 101 UPGRADED\r\n[\s\S]*Content-Type: multi\r\n/);
  assert.equal(body(upgraded), '[early ]late|end');
  const plain = await exchange(server.socket, ['POST /containers/x/attach HTTP/1.1\r\nHost: d\r\n\r\n', 'typed'], {
    halfClose: true,
  });
  assert.match(plain, /^HTTP\/1.1 200 OK\r\n[\s\S]*Content-Type: raw\r\n/);
  assert.ok(!/Content-Length|chunked/i.test(plain));
  assert.equal(body(plain), '[]typed|end');
  const json = '{"Tty":true}';
  const head = `POST /exec/x/start HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n`;
  const withBody = await exchange(server.socket, [`${head}${upgrade}\r\n{"Tty"`, ':true}rest', ' more'], {
    halfClose: true,
  });
  assert.equal(body(withBody), '[rest] more|end');
  const bodyPlain = await exchange(server.socket, [`${head}\r\n${json}`, 'in'], { halfClose: true });
  assert.equal(body(bodyPlain), '[]in|end');
});

test('headers of a stream leave at once; a client that goes away is noticed', async () => {
  let gone: (() => void) | undefined;
  const left = new Promise<void>(resolve => {
    gone = resolve;
  });
  await using server = await serve({
    events: call => {
      call.signal.addEventListener('abort', () => gone?.());
      call.stream('application/json');
      return left;
    },
  });
  const client = net.connect(server.socket);
  client.write(get('/events'));
  const first = await new Promise<string>(resolve => client.once('data', chunk => resolve(String(chunk))));
  assert.match(first, /^HTTP\/1.1 200 OK/);
  client.destroy();
  await left;
});

test('the socket has mode 0660; one left over is replaced, one in use or of another kind is not', async () => {
  await using server = await serve({});
  assert.equal(statSync(server.socket).mode & 0o777, 0o660);
  await assert.rejects(server.listen(), { message: /another process listens on it/ });
  const directory = mkdtempSync(path.join(tmpdir(), 'berth-server-'));
  try {
    const file = path.join(directory, 'file');
    writeFileSync(file, '');
    const api = new ApiServer({
      handlers: {} as Handlers,
      engineVersion: '1',
      minApiVersion: '1.24',
      experimental: false,
      log: quiet,
    });
    await assert.rejects(listen(`unix://${file}`, api, configFrom(new Map()), quiet), { message: /no socket/ });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('what is no HTTP is answered and ended', async () => {
  await using server = await serve({});
  assert.match(await exchange(server.socket, ['hello\r\n\r\n']), /^HTTP\/1.1 400 Bad Request/);
  const long = `GET / HTTP/1.1\r\nX: ${'x'.repeat(300_000)}\r\n\r\n`;
  assert.match(await exchange(server.socket, [long]), /^HTTP\/1.1 431 /);
});
