import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { isFailedPrecondition, isNotFound } from '../../errdefs/index.ts';
import { native } from '../../launcher/index.ts';
import { clientPair, readAll, watching } from '../../shim/testing/processes.ts';
import { cannotRun, cgroupParent, TestTasks } from './testing/busybox.ts';

const skip = cannotRun;

function logged(tasks: TestTasks, id: string): string {
  return readFileSync(join(tasks.directory, `${id}.log`), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map(line => (JSON.parse(line) as { log: string }).log)
    .join('');
}

test('a task runs, tells its events in order, and leaves nothing', { skip }, async () => {
  await using all = new TestTasks();
  const { id, status } = await all.run('echo hello; hostname; exit 3');
  assert.equal(status.code, 3);
  assert.equal(logged(all, id), 'hello\ntest\n');
  assert.deepEqual(await all.tasks.delete(id), status);
  await all.tasks.close();
  assert.deepEqual(
    all.events.map(event => event.type),
    ['create', 'start', 'exit', 'delete'],
  );
  assert.deepEqual(readdirSync(join(all.directory, 'exec/tasks')), []);
  assert.ok(!existsSync(`/sys/fs/cgroup/memory/${cgroupParent}/${id}`));
});

test('a command that is not there fails the start in the words of runc, and the id is free again', {
  skip,
}, async () => {
  await using all = new TestTasks();
  const options = all.options('', { process: { args: ['nosuch'] } });
  await all.tasks.create(options);
  await assert.rejects(all.tasks.start(options.id), /exec: "nosuch": executable file not found in \$PATH$/);
  assert.throws(() => all.tasks.get(options.id), isNotFound);
  const again = all.options('exit 0', { id: options.id });
  await all.tasks.create(again);
  await all.tasks.start(again.id);
  assert.equal((await all.tasks.wait(again.id)).code, 0);
});

test('kill, then delete; a running task is not deleted', { skip }, async () => {
  await using all = new TestTasks();
  const options = all.options('exec sleep 60');
  await all.tasks.create(options);
  await all.tasks.start(options.id);
  await assert.rejects(all.tasks.delete(options.id), isFailedPrecondition);
  assert.equal((await all.tasks.listPids(options.id)).length, 1);
  await all.tasks.kill(options.id, 9);
  assert.equal((await all.tasks.wait(options.id)).code, 137);
  await assert.rejects(all.tasks.kill(options.id, 9), isNotFound);
});

test('exec: output, exit code, user, and an unknown command', { skip }, async () => {
  await using all = new TestTasks();
  const options = all.options('exec sleep 60');
  await all.tasks.create(options);
  await all.tasks.start(options.id);
  const io = { terminal: false, stdin: true };
  await all.tasks.exec(options.id, {
    execId: 'e1',
    process: all.process('cat; id -u; exit 4', { user: { uid: 7, gid: 8 } }),
    io,
  });
  const { client, fd } = await clientPair();
  await all.tasks.startExec(options.id, 'e1', { ...watching, fd, stdin: true });
  native().close(fd);
  client.end('input\n');
  assert.equal(String(await readAll(client)), 'input\n7\n');
  assert.equal((await all.tasks.wait(options.id, 'e1')).code, 4);
  assert.equal((await all.tasks.deleteExec(options.id, 'e1'))?.code, 4);
  await all.tasks.exec(options.id, { execId: 'e2', process: all.process('', { args: ['nosuch'] }), io });
  await assert.rejects(all.tasks.startExec(options.id, 'e2'), /exec: "nosuch": executable file not found in \$PATH$/);
});

test('exec with a terminal', { skip }, async () => {
  await using all = new TestTasks();
  const options = all.options('exec sleep 60');
  await all.tasks.create(options);
  await all.tasks.start(options.id);
  const tty = all.process('stty size', { terminal: true, consoleSize: { height: 33, width: 99 } });
  await all.tasks.exec(options.id, { execId: 'e', process: tty, io: { terminal: true, stdin: true } });
  const { client, fd } = await clientPair();
  await all.tasks.startExec(options.id, 'e', { ...watching, fd, stdin: true });
  native().close(fd);
  assert.equal(String(await readAll(client)), '33 99\r\n');
});

test('pause and resume', { skip }, async () => {
  await using all = new TestTasks();
  const options = all.options('while :; do echo tick; sleep 0.02; done');
  await all.tasks.create(options);
  await all.tasks.start(options.id);
  await all.tasks.pause(options.id);
  assert.equal(all.tasks.get(options.id).status, 'paused');
  await sleep(20);
  const before = logged(all, options.id);
  await sleep(100);
  assert.equal(logged(all, options.id), before);
  await all.tasks.resume(options.id);
  await sleep(100);
  assert.notEqual(logged(all, options.id), before);
});

test('the next daemon adopts what runs and knows what ended', { skip }, async () => {
  await using all = new TestTasks();
  const lasting = all.options('i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done');
  const short = all.options('sleep 0.1; exit 5');
  for (const options of [lasting, short]) {
    await all.tasks.create(options);
    await all.tasks.start(options.id);
  }
  await all.tasks.close();
  while (!existsSync(join(all.directory, 'exec/tasks', short.id, 'exit'))) await sleep(10);
  await all.reopen();
  const found = await all.tasks.adopt();
  assert.equal(found.find(({ id }) => id === lasting.id)?.status, 'running');
  assert.equal(found.find(({ id }) => id === short.id)?.exit?.code, 5);
  await all.tasks.exec(lasting.id, {
    execId: 'e',
    process: all.process('exit 6'),
    io: { terminal: false, stdin: false },
  });
  await all.tasks.startExec(lasting.id, 'e');
  assert.equal((await all.tasks.wait(lasting.id, 'e')).code, 6);
  await all.tasks.kill(lasting.id, 9);
  assert.equal((await all.tasks.wait(lasting.id)).code, 137);
  const numbers = logged(all, lasting.id).trim().split('\n').map(Number);
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => i + 1),
  );
});

test('a container whose shim is killed is ended, with 137', { skip }, async () => {
  await using all = new TestTasks();
  const options = all.options('exec sleep 60');
  await all.tasks.create(options);
  await all.tasks.start(options.id);
  const { pid } = all.tasks.get(options.id);
  const shim = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  process.kill(shim, 'SIGKILL');
  assert.equal((await all.tasks.wait(options.id)).code, 137);
  // Its next parent may be slow to reap it.
  const ended = () => !existsSync(`/proc/${pid}`) || /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  for (let i = 0; !ended() && i < 100; i++) await sleep(10);
  assert.ok(ended());
});

test('a kill for want of memory is told', { skip }, async () => {
  await using all = new TestTasks();
  const options = all.options('tail /dev/zero', { memory: 16 << 20 });
  await all.tasks.create(options);
  await all.tasks.start(options.id);
  const status = await all.tasks.wait(options.id);
  assert.ok(status.oom);
  assert.ok(all.events.some(event => event.type === 'oom'));
});

test('a logging binary gets both streams, and the end', { skip }, async () => {
  await using all = new TestTasks();
  const script = join(all.directory, 'logger');
  const out = join(all.directory, 'logged');
  writeFileSync(
    script,
    `#!/bin/sh\nexec 5>&-\ncat <&3 >${out}.stdout &\ncat <&4 >${out}.stderr\nwait\necho "$CONTAINER_ID $1" >${out}.done\n`,
    { mode: 0o755 },
  );
  const log = { type: 'binary', path: script, args: ['argument'] } as const;
  const options = all.options('seq 1 1000; echo error >&2', {
    io: { terminal: false, stdin: false, stdinOnce: false, log },
  });
  await all.tasks.create(options);
  await all.tasks.start(options.id);
  await all.tasks.wait(options.id);
  while (!existsSync(`${out}.done`)) await sleep(5);
  assert.equal(readFileSync(`${out}.done`, 'utf8'), `${options.id} argument\n`);
  assert.equal(readFileSync(`${out}.stdout`, 'utf8'), Array.from({ length: 1000 }, (_, i) => `${i + 1}\n`).join(''));
  assert.equal(readFileSync(`${out}.stderr`, 'utf8'), 'error\n');
});

test('rotated logs are compressed while the container writes, and no line is lost', { skip }, async () => {
  await using all = new TestTasks();
  const path = join(all.directory, 'rotated.log');
  const log = { type: 'json-file', path, maxSizeBytes: 20_000, maxFiles: 50, compress: true } as const;
  const options = all.options('i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo $i; done; exec sleep 60', {
    io: { terminal: false, stdin: false, stdinOnce: false, log },
  });
  await all.tasks.create(options);
  await all.tasks.start(options.id);
  const files = () => readdirSync(all.directory).filter(name => name.startsWith('rotated.log'));
  const plain = () => files().filter(name => /\.\d+$/.test(name));
  const lines = () =>
    files()
      .map(name => ({ name, age: Number(/\.log\.(\d+)/.exec(name)?.[1] ?? 0) }))
      .sort((a, b) => b.age - a.age)
      .map(({ name }) => readFileSync(join(all.directory, name)))
      .map(bytes => (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString())
      .join('')
      .trimEnd()
      .split('\n');
  // The last line is in the file that is not rotated any more; between a rename and the next file there is none.
  const current = async () => (await readFile(path, 'utf8').catch(() => '')) as string;
  while (!(await current()).includes('"2000\\n"')) await sleep(10);
  for (let i = 0; plain().length > 0 && i < 500; i++) await sleep(10);
  assert.deepEqual(plain(), []);
  assert.ok(files().length > 3);
  assert.deepEqual(
    lines().map(line => Number((JSON.parse(line) as { log: string }).log)),
    Array.from({ length: 2000 }, (_, i) => i + 1),
  );
});

test('from create to exit in a few milliseconds', { skip }, async () => {
  await using all = new TestTasks();
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const began = performance.now();
    const { id } = await all.run('exit 0');
    times.push(performance.now() - began);
    await all.tasks.delete(id);
  }
  times.sort((a, b) => a - b);
  console.log(`create to exit: ${times[10]!.toFixed(1)} ms in the middle, ${times[0]!.toFixed(1)} at best`);
});
