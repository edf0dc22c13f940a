import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { native } from '../launcher/index.ts';
import { parseDetachKeys } from './detach-keys.ts';
import {
  attachClient,
  clientPair,
  readAll,
  scriptProgram,
  TestShim,
  tcpPair,
  unframe,
  watching,
} from './testing/processes.ts';

const terminal = { terminal: true, stdin: true, stdinOnce: false };
const piped = { terminal: false, stdin: true, stdinOnce: true };

test('a client attached before the start sees the first byte, framed by stream', async () => {
  await using shim = await TestShim.create(scriptProgram('echo out; echo err >&2; exit 3'));
  const client = await attachClient(shim, { framed: true });
  await shim.shim.start();
  assert.deepEqual(unframe(await readAll(client)), { stdout: 'out\n', stderr: 'err\n' });
  const status = await shim.exited();
  assert.equal(status.code, 3);
  assert.equal(status.signal, 0);
});

test('a client sees only the streams that it asked for', async () => {
  await using shim = await TestShim.create(scriptProgram('echo out; echo err >&2'));
  const out = await attachClient(shim, { stderr: false });
  const err = await attachClient(shim, { stdout: false });
  await shim.shim.start();
  assert.equal(String(await readAll(out)), 'out\n');
  assert.equal(String(await readAll(err)), 'err\n');
});

test('input of a client reaches the process, and its end closes stdin', async () => {
  await using shim = await TestShim.create(scriptProgram('cat; echo done', { stdin: true }), { io: piped });
  const client = await attachClient(shim, { stdin: true, alreadyRead: Buffer.from('early ') });
  await shim.shim.start();
  client.end('late\n');
  assert.equal(String(await readAll(client)), 'early late\ndone\n');
});

test('megabytes of input pass through a process that reads slowly', async () => {
  await using shim = await TestShim.create(scriptProgram('sleep 0.1; sha256sum', { stdin: true }), { io: piped });
  const client = await attachClient(shim, { stdin: true });
  await shim.shim.start();
  const input = Buffer.alloc(5_000_000, 'berth\n');
  client.end(input);
  const digest = createHash('sha256').update(input).digest('hex');
  assert.equal(String(await readAll(client)), `${digest}  -\n`);
});

test('the end of input leaves stdin open without stdinOnce, until closeStdin', async () => {
  await using shim = await TestShim.create(scriptProgram('cat; echo done', { stdin: true }), {
    io: { ...piped, stdinOnce: false },
  });
  await shim.shim.start();
  const first = await attachClient(shim, { stdin: true, stdout: false });
  first.end('one\n');
  const second = await attachClient(shim, { stdin: true });
  second.end('two\n');
  await sleep(50);
  await shim.shim.closeStdin(0);
  await shim.exited();
  assert.equal(shim.logged(), 'one\ntwo\ndone\n');
});

test('a process that does not read its input gets no signal through us, and the client is not stuck', async () => {
  await using shim = await TestShim.create(scriptProgram('exec <&-; sleep 0.2; echo bye', { stdin: true }), {
    io: piped,
  });
  const client = await attachClient(shim, { stdin: true });
  await shim.shim.start();
  client.end(Buffer.alloc(4_000_000));
  assert.equal(String(await readAll(client)), 'bye\n');
});

test('several clients each get all output; over TCP as well', async () => {
  await using shim = await TestShim.create(scriptProgram('seq 1 20000'));
  const clients = [await attachClient(shim), await attachClient(shim), await attachClient(shim)];
  const tcp = await tcpPair();
  await shim.shim.attach(0, { ...watching, fd: tcp.fd });
  tcp.close();
  await shim.shim.start();
  const expected = Array.from({ length: 20000 }, (_, i) => `${i + 1}\n`).join('');
  for (const client of [...clients, tcp.client]) assert.equal(String(await readAll(client)), expected);
  assert.equal(shim.logged(), expected);
});

test('a client that reads nothing holds nothing up, and gets every byte when it reads at last', async () => {
  const size = 40_000_000;
  await using shim = await TestShim.create(scriptProgram(`head -c ${size} /dev/zero`), { log: { type: 'none' } });
  const slow = await attachClient(shim);
  slow.pause();
  const quick = await attachClient(shim);
  const began = performance.now();
  await shim.shim.start();
  assert.equal((await readAll(quick)).length, size);
  assert.equal((await shim.exited()).code, 0);
  assert.ok(performance.now() - began < 3000);
  // The daemon has deleted the task by now; the shim stays for its last client.
  await shim.shim.shutdown();
  assert.equal((await readAll(slow)).length, size);
});

test('a client with too large a backlog is cut off', async () => {
  await using shim = await TestShim.create(scriptProgram('head -c 30000000 /dev/zero'), {
    log: { type: 'none' },
    spillLimits: { softBytes: 1 << 20, hardBytes: 4 << 20 },
  });
  const slow = await attachClient(shim);
  slow.pause();
  await shim.shim.start();
  await shim.exited();
  assert.ok(shim.events.some(event => event.kind === 'client' && event.why === 'cut off'));
  assert.ok((await readAll(slow)).length < 30_000_000);
});

test('a client that hangs up is dropped, and nobody else notices', async () => {
  await using shim = await TestShim.create(scriptProgram('for i in 1 2 3 4 5; do echo $i; sleep 0.05; done'));
  const dead = await attachClient(shim);
  const alive = await attachClient(shim);
  await shim.shim.start();
  dead.destroy();
  assert.equal(String(await readAll(alive)), '1\n2\n3\n4\n5\n');
  assert.ok(shim.events.some(event => event.kind === 'client' && event.why === 'gone'));
});

test('output is complete though a grandchild holds the streams, within two seconds', async () => {
  await using shim = await TestShim.create(scriptProgram('sleep 30 & echo $!; exit 0'));
  const began = performance.now();
  await shim.shim.start();
  await shim.exited();
  const took = performance.now() - began;
  assert.ok(took > 1900 && took < 3000, `${took} ms`);
  process.kill(Number(shim.logged()), 'SIGKILL');
});

test('a terminal: one stream, echo, resize, and a signal for it', async () => {
  const script = 'stty size; trap "stty size; exit 5" WINCH; echo ready; while :; do sleep 0.01; done';
  await using shim = await TestShim.create(scriptProgram(script, { terminal: true }), { io: terminal });
  const client = await attachClient(shim, { stdin: true });
  await shim.shim.start();
  let text = '';
  for await (const chunk of client) {
    text += String(chunk);
    if (text.includes('ready') && !text.includes('50')) await shim.shim.resize(0, { rows: 50, columns: 132 });
  }
  assert.equal(text, '24 80\r\nready\r\n50 132\r\n');
  assert.equal((await shim.exited()).code, 5);
});

test('detach keys let go of the client and of nothing else; a part of them is passed on', async () => {
  const program = scriptProgram('stty raw -echo; echo ready; dd bs=1 count=3 2>/dev/null | od -An -c; sleep 0.2', {
    terminal: true,
  });
  await using shim = await TestShim.create(program, { io: terminal });
  const detachKeys = parseDetachKeys('ctrl-p,ctrl-q');
  const client = await attachClient(shim, { stdin: true, detachKeys });
  await shim.shim.start();
  await new Promise(resolve => client.once('data', resolve));
  client.write('a\x10');
  await sleep(20);
  client.write('b\x10');
  await sleep(20);
  client.write('\x11');
  await readAll(client);
  assert.ok(shim.events.some(event => event.kind === 'client' && event.why === 'detached'));
  assert.equal((await shim.exited()).code, 0);
  assert.match(shim.logged(), /a +020 +b/);
});

test('the shim serves a client whose daemon is gone', async () => {
  await using shim = await TestShim.create(scriptProgram('cat', { stdin: true }), { io: piped });
  const { client, fd } = await clientPair();
  await shim.shim.attach(0, { ...watching, fd, stdin: true });
  native().close(fd);
  await shim.shim.start();
  shim.shim.close();
  client.end('still here\n');
  assert.equal(String(await readAll(client)), 'still here\n');
});
