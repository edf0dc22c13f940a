import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isNotFound, isUnavailable } from '../errdefs/index.ts';
import { ProgramError } from '../launcher/index.ts';
import { parseDetachKeys } from './detach-keys.ts';
import { readExitFile } from './exit-file.ts';
import { connectShim } from './native-shim.ts';
import type { ShimEvent } from './shim.ts';
import { attachClient, clientPair, readAll, scriptProgram, TestShim, watching } from './testing/processes.ts';
import * as wire from './wire.ts';

test('both sides of the wire have the same numbers', () => {
  const header = readFileSync(join(import.meta.dirname, '../../native/shim/wire.h'), 'utf8');
  const constants = new Map(
    [...header.matchAll(/WIRE_([A-Z0-9_]+) = (0x[0-9a-f]+|\d+)/g)].map(m => [m[1]!, Number(m[2])]),
  );
  const name = (key: string): string => key.replace(/[A-Z-]/g, c => `_${c === '-' ? '' : c}`).toUpperCase();
  const compare = (prefix: string, values: Readonly<Record<string, number>>): void => {
    for (const [key, value] of Object.entries(values))
      assert.equal(constants.get(prefix + name(key)), value, prefix + key);
  };
  compare('', wire.requests);
  compare('EVENT_', wire.events);
  compare('IO_', wire.ioFlags);
  compare('ATTACH_', wire.attachFlags);
  compare('LOG_', wire.logTypes);
  assert.match(header, new RegExp(`#define WIRE_VERSION ${wire.wireVersion}\\n`));
});

test('a death by signal is 128 and the signal, and is written down', async () => {
  await using shim = await TestShim.create(scriptProgram('kill -TERM $$; sleep 1'));
  await shim.shim.start();
  const status = await shim.exited();
  assert.deepEqual([status.code, status.signal], [143, 15]);
  assert.deepEqual(readExitFile(shim.directory), status);
});

test('kill reaches the process, and says when there is none any more', async () => {
  await using shim = await TestShim.create(
    scriptProgram('trap "exit 7" USR1; echo ready; while :; do sleep 0.01; done'),
  );
  const client = await attachClient(shim);
  await shim.shim.start();
  await new Promise(resolve => client.once('data', resolve));
  await shim.shim.kill(0, 10);
  assert.equal((await shim.exited()).code, 7);
  await assert.rejects(shim.shim.kill(0, 10), isNotFound);
});

test('a program that cannot be executed fails the start, and no shim is left', async () => {
  const shim = await TestShim.create(scriptProgram('', { command: ['/no/such/file'] }));
  await assert.rejects(shim.shim.start(), (error: unknown) => error instanceof ProgramError && error.code === 'ENOENT');
  for (let i = 0; existsSync(`/proc/${shim.shim.pid}`) && i < 100; i++) await sleep(10);
  assert.ok(!existsSync(`/proc/${shim.shim.pid}`));
  await shim[Symbol.asyncDispose]();
});

test('a program that fails before the container is created fails the creation', async () => {
  await assert.rejects(
    TestShim.create([{ op: 'chdir', path: '/no/such/directory' }]),
    (error: unknown) => error instanceof ProgramError && error.failure.path[0] === 0,
  );
});

test('exec: a hundred at once, each with its output and exit code', async () => {
  await using shim = await TestShim.create(scriptProgram('exec sleep 30'));
  await shim.shim.start();
  const descriptors = () => readdirSync(`/proc/${shim.shim.pid}/fd`).length;
  const before = descriptors();
  const one = async (number: number): Promise<string> => {
    const { client, fd } = await clientPair();
    const program = scriptProgram(`echo ${number}; exit ${number % 50}`, { ready: false });
    const io = { terminal: false, stdin: false, stdinOnce: true };
    const started = shim.shim.exec({ number, execId: `e${number}`, program, io, client: { ...watching, fd } });
    const output = readAll(client);
    await started;
    const { native } = await import('../launcher/index.ts');
    native().close(fd);
    const text = String(await output);
    // What a client asks on seeing the end comes in a later turn of the daemon's loop; here both may be of the same.
    await new Promise(setImmediate);
    const status = shim.events.find(event => event.kind === 'exit' && event.number === number);
    assert.ok(status?.kind === 'exit', 'the exit is told before the stream ends');
    assert.equal(status.status.code, number % 50);
    return text;
  };
  const texts = await Promise.all(Array.from({ length: 100 }, (_, i) => one(i + 1)));
  assert.deepEqual(
    texts,
    Array.from({ length: 100 }, (_, i) => `${i + 1}\n`),
  );
  assert.equal(readFileSync(shim.log, 'utf8'), '', 'exec output is not logged');
  for (let i = 0; descriptors() > before && i < 100; i++) await sleep(10);
  assert.equal(descriptors(), before);
});

test('exec: a failing program leaves the client to the daemon', async () => {
  await using shim = await TestShim.create(scriptProgram('exec sleep 30'));
  await shim.shim.start();
  const { client, fd } = await clientPair();
  const program = scriptProgram('', { ready: false, command: ['/no/such/file'] });
  const io = { terminal: false, stdin: false, stdinOnce: true };
  const exec = shim.shim.exec({ number: 1, execId: 'e', program, io, client: { ...watching, fd } });
  await assert.rejects(exec, ProgramError);
  const { Socket } = await import('node:net');
  const ours = new Socket({ fd, readable: true, writable: true });
  ours.end('executable file not found\r\n');
  assert.equal(String(await readAll(client)), 'executable file not found\r\n');
});

test('a second daemon finds the container, execs and what ended in between', async () => {
  await using shim = await TestShim.create(
    scriptProgram('i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo $i; sleep 0.001; done; exit 9'),
  );
  await shim.shim.start();
  const io = { terminal: false, stdin: false, stdinOnce: true };
  await shim.shim.exec({ number: 1, execId: 'short', program: scriptProgram('exit 4', { ready: false }), io });
  await shim.shim.exec({
    number: 2,
    execId: 'long',
    program: scriptProgram('sleep 0.3; exit 5', { ready: false }),
    io,
  });
  shim.shim.close();
  await sleep(100);
  const events: ShimEvent[] = [];
  const ended = Promise.withResolvers<void>();
  const { shim: again, state } = await connectShim(shim.directory, [], event => {
    events.push(event);
    if (event.kind === 'exit' && event.number === 0) ended.resolve();
  });
  shim.shim = again;
  assert.equal(state.phase, 'running');
  assert.equal(state.shimPid, again.pid);
  assert.ok(state.execs.every(exec => exec.execId === 'long' || exec.execId === 'short'));
  await ended.promise;
  const numbers = shim.logged().trim().split('\n').map(Number);
  assert.deepEqual(
    numbers,
    Array.from({ length: 300 }, (_, i) => i + 1),
  );
  const exit = events.find(event => event.kind === 'exit' && event.number === 0);
  assert.ok(exit?.kind === 'exit' && exit.status.code === 9);
});

test('a container that ends with no daemon about leaves its exit file and no process', async () => {
  await using shim = await TestShim.create(scriptProgram('sleep 0.05; exit 6'));
  await shim.shim.start();
  const { pid } = shim.shim;
  shim.shim.close();
  for (let i = 0; existsSync(`/proc/${pid}`) && i < 200; i++) await sleep(10);
  assert.ok(!existsSync(`/proc/${pid}`));
  assert.equal(readExitFile(shim.directory)?.code, 6);
  await assert.rejects(
    connectShim(shim.directory, [], () => {}),
    isUnavailable,
  );
});

test('garbage on the socket ends the connection, not the shim', async () => {
  await using shim = await TestShim.create(scriptProgram('exec sleep 30'));
  await shim.shim.start();
  const { createConnection } = await import('node:net');
  for (const bytes of [Buffer.alloc(64, 0xff), Buffer.alloc(64), Buffer.from([12, 0, 0, 0, 5])]) {
    const socket = createConnection(join(shim.directory, 'shim.sock'));
    socket.on('error', () => {});
    socket.write(bytes);
    await sleep(20);
    socket.destroy();
  }
  assert.equal((await shim.shim.state()).phase, 'running');
});

test('a killed shim is noticed', async () => {
  await using shim = await TestShim.create(scriptProgram('exec sleep 30'));
  await shim.shim.start();
  const lost = Promise.withResolvers<void>();
  const timer = setInterval(() => shim.events.some(event => event.kind === 'lost') && lost.resolve(), 5);
  process.kill(shim.shim.pid, 'SIGKILL');
  await lost.promise;
  clearInterval(timer);
  assert.equal(readExitFile(shim.directory), null);
  process.kill(shim.shim.initPid, 'SIGKILL');
});

test('ten shims take at most 150 KB of memory each', async () => {
  await using stack = new AsyncDisposableStack();
  const shims: TestShim[] = [];
  for (let i = 0; i < 10; i++) {
    const shim = stack.use(await TestShim.create(scriptProgram('seq 1 1000; exec sleep 30')));
    await shim.shim.start();
    shims.push(shim);
  }
  await sleep(600);
  const sizes = shims.map(({ shim }) => {
    const rollup = readFileSync(`/proc/${shim.pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss: +(\d+) kB/m.exec(rollup)?.[1]);
  });
  const mean = sizes.reduce((a, b) => a + b) / sizes.length;
  console.log(`PSS of a shim, ten running: ${mean} KB`);
  assert.ok(mean <= 150, `${mean} KB`);
});

test('detach keys are read as Docker reads them', () => {
  assert.deepEqual([...parseDetachKeys('ctrl-p,ctrl-q')], [16, 17]);
  assert.deepEqual([...parseDetachKeys('a,ctrl-@,ctrl-_,ctrl-\\')], [97, 0, 31, 28]);
  assert.throws(() => parseDetachKeys('ctrl-1'), /Unknown character: 'ctrl-1'/);
});

test('nothing is left in the state directory but the log and the exit file', async () => {
  const shim = await TestShim.create(scriptProgram('true'));
  await shim.shim.start();
  await shim.exited();
  await shim.shim.shutdown();
  for (let i = 0; existsSync(`/proc/${shim.shim.pid}`) && i < 100; i++) await sleep(10);
  assert.deepEqual(readdirSync(shim.directory).sort(), ['exit', 'x.log']);
  await shim[Symbol.asyncDispose]();
});
