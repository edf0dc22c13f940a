import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { StateDirectory } from './state-directory.ts';
import { cannotRun, cgroupParent, TestTasks } from './testing/busybox.ts';

const skip = cannotRun;

/** Shims started within abort at this point. */
async function crashingAt(point: string, run: () => Promise<void>): Promise<void> {
  process.env.BERTH_CRASH = point;
  try {
    await run();
  } finally {
    delete process.env.BERTH_CRASH;
  }
}

test('a shim that dies before it has told of the container leaves none', { skip }, async () => {
  await using all = new TestTasks();
  const options = all.options('sleep 60');
  await crashingAt('shim-created', async () => {
    await assert.rejects(all.tasks.create(options), /the shim has gone/);
  });
  await all.tasks.close();
  assert.deepEqual(readdirSync(join(all.directory, 'exec/tasks')), []);
  assert.ok(!existsSync(`/sys/fs/cgroup/pids/${cgroupParent}/${options.id}`));
  await all.tasks.create(options);
});

test('a shim that dies after it has written the exit down loses nothing', { skip }, async () => {
  await using all = new TestTasks();
  await crashingAt('shim-exit-told', async () => {
    const { status } = await all.run('exit 42');
    assert.equal(status.code, 42);
  });
});

test('a shim that dies while it writes the exit down ends the container with 137', { skip }, async () => {
  await using all = new TestTasks();
  await crashingAt('shim-exit-file', async () => {
    const { id, status } = await all.run('exit 42');
    assert.equal(status.code, 137);
    await all.tasks.delete(id);
  });
});

test('containers that no daemon was told of are cleared away by the next', { skip }, async () => {
  await using all = new TestTasks();
  const options = all.options('sleep 60');
  await all.tasks.create(options);
  await all.tasks.close();
  await all.reopen();
  assert.deepEqual(await all.tasks.adopt(), []);
  await all.tasks.close();
  assert.deepEqual(readdirSync(join(all.directory, 'exec/tasks')), []);
  assert.ok(!existsSync(`/sys/fs/cgroup/pids/${cgroupParent}/${options.id}`));
});

test('a container whose daemon dies while it is being made is cleared away by the next', { skip }, async () => {
  await using all = new TestTasks();
  const options = all.options('sleep 60');
  const hook = { path: '/bin/sleep', args: ['sleep', '0.3'] };
  const create = JSON.stringify({ ...options, spec: { ...options.spec, hooks: { createRuntime: [hook] } } });
  const code = `
    import { openTasks } from '${join(import.meta.dirname, 'tasks.ts')}';
    const tasks = openTasks({ execRoot: '${join(all.directory, 'exec')}' });
    await tasks.create(${create});`;
  const daemon = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
  while (!existsSync(join(all.directory, 'exec/tasks', options.id, 'shim.sock'))) await sleep(5);
  daemon.kill('SIGKILL');
  while (!existsSync(join(all.directory, 'exec/tasks', options.id, 'unstarted'))) await sleep(5);
  assert.deepEqual(await all.tasks.adopt(), []);
  await all.tasks.close();
  assert.deepEqual(readdirSync(join(all.directory, 'exec/tasks')), []);
  assert.ok(!existsSync(`/sys/fs/cgroup/pids/${cgroupParent}/${options.id}`));
});

test('a task whose daemon died before it had a shim never ran', { skip }, async () => {
  await using all = new TestTasks();
  const { id, spec, io } = all.options('true');
  const directories = new StateDirectory(join(all.directory, 'exec/tasks'));
  directories.create({ id, io, cgroups: { v1: {} }, runtime: 'berth' }, spec);
  assert.deepEqual(await all.tasks.adopt(), []);
  await all.tasks.close();
  assert.deepEqual(readdirSync(join(all.directory, 'exec/tasks')), []);
});

test('frames that are mutated at random do the shim no harm', { skip }, async () => {
  await using all = new TestTasks();
  const options = all.options('exec sleep 60');
  await all.tasks.create(options);
  await all.tasks.start(options.id);
  const path = join(all.directory, 'exec/tasks', options.id, 'shim.sock');
  let seed = 42;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 200; round++) {
    const socket = createConnection(path);
    socket.on('error', () => {});
    const frames = Array.from({ length: 5 }, () => {
      const frame = Buffer.alloc(12 + random(64));
      for (let i = 12; i < frame.length; i++) frame[i] = random(256);
      frame.writeUInt32LE(random(4) > 0 ? frame.length : random(200), 0);
      // Neither `kill` nor `shutdown` with luck: they would be obeyed.
      frame.writeUInt16LE([1, 2, 4, 5, 6, 7, 8, 10, 11, 99][random(10)]!, 4);
      return frame;
    });
    socket.write(Buffer.concat(frames));
    await new Promise<void>(resolve => {
      socket.once('data', () => resolve());
      socket.once('close', () => resolve());
    });
    socket.destroy();
  }
  await sleep(20);
  await all.tasks.exec(options.id, {
    execId: 'e',
    process: all.process('exit 3'),
    io: { terminal: false, stdin: false },
  });
  await all.tasks.startExec(options.id, 'e');
  assert.equal((await all.tasks.wait(options.id, 'e')).code, 3);
});

test('a hundred containers, ten at a time, leave no descriptor and no process', { skip }, async () => {
  await using all = new TestTasks();
  const one = async (): Promise<void> => {
    const { id, status } = await all.run('echo hello; exit 7');
    assert.equal(status.code, 7);
    await all.tasks.delete(id);
  };
  await one();
  await sleep(50);
  const before = readdirSync('/proc/self/fd').length;
  for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 10 }, one));
  await sleep(100);
  assert.ok(readdirSync('/proc/self/fd').length <= before, 'descriptors');
});
