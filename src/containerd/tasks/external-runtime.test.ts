import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { native } from '../../launcher/index.ts';
import { clientPair, readAll, watching } from '../../shim/testing/processes.ts';
import type { SnapshotMount } from '../snapshots/snapshotter.ts';
import { cannotRun, cgroupParent, externalPaths, TestTasks } from './testing/busybox.ts';

const skip = cannotRun;
const rootOf = (all: TestTasks): readonly SnapshotMount[] => [
  { type: 'bind', source: join(all.directory, 'root'), options: ['rbind', 'rw'] },
];

for (const runtime of externalPaths.keys()) {
  test(`${runtime}: output, exit code, and nothing left`, { skip }, async () => {
    await using all = new TestTasks();
    const options = all.options('echo hello; echo error >&2; exit 3', { runtime, rootfs: rootOf(all) });
    await all.tasks.create(options);
    await all.tasks.start(options.id);
    const status = await all.tasks.wait(options.id);
    assert.equal(status.code, 3);
    const log = readFileSync(join(all.directory, `${options.id}.log`), 'utf8');
    assert.match(log, /"log":"hello\\n","stream":"stdout"/);
    assert.match(log, /"log":"error\\n","stream":"stderr"/);
    await all.tasks.delete(options.id);
    await all.tasks.close();
    assert.deepEqual(
      all.events.map(event => event.type),
      ['create', 'start', 'exit', 'delete'],
    );
    assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(all.directory));
    assert.ok(!existsSync(`/sys/fs/cgroup/pids/${cgroupParent}/${options.id}`));
  });

  test(`${runtime}: a command that is not there`, { skip }, async () => {
    await using all = new TestTasks();
    const options = all.options('', { runtime, rootfs: rootOf(all), process: { args: ['nosuch'] } });
    const run = async (): Promise<void> => {
      await all.tasks.create(options);
      await all.tasks.start(options.id);
    };
    await assert.rejects(
      run(),
      /OCI runtime create failed: .*executable file .*nosuch|OCI runtime create failed: .*"nosuch": executable file not found/,
    );
    assert.deepEqual(all.tasks.list(), []);
  });

  test(`${runtime}: a terminal, attach, exec, kill, and another daemon`, { skip }, async () => {
    await using all = new TestTasks();
    const log = { type: 'none' } as const;
    const options = all.options('stty size; cat', {
      runtime,
      rootfs: rootOf(all),
      process: { terminal: true, consoleSize: { height: 31, width: 97 } },
      io: { terminal: true, stdin: true, stdinOnce: false, log },
    });
    await all.tasks.create(options);
    const { client, fd } = await clientPair();
    await all.tasks.attach(options.id, undefined, { ...watching, fd, stdin: true });
    native().close(fd);
    let text = '';
    client.on('data', chunk => (text += String(chunk)));
    await all.tasks.start(options.id);
    for (let i = 0; !text.includes('97') && i < 200; i++) await sleep(10);
    client.write('typed\n');
    for (let i = 0; !text.includes('typed\r\ntyped') && i < 200; i++) await sleep(10);
    assert.equal(text, '31 97\r\ntyped\r\ntyped\r\n');

    await all.reopen();
    const [found] = await all.tasks.adopt();
    assert.equal(found?.status, 'running');
    const io = { terminal: false, stdin: false };
    await all.tasks.exec(options.id, { execId: 'e1', process: all.process('echo from exec; exit 6'), io });
    const pair = await clientPair();
    await all.tasks.startExec(options.id, 'e1', { ...watching, fd: pair.fd });
    native().close(pair.fd);
    assert.equal(String(await readAll(pair.client)), 'from exec\n');
    assert.equal((await all.tasks.wait(options.id, 'e1')).code, 6);
    const tty = all.process('stty size', { terminal: true, consoleSize: { height: 33, width: 99 } });
    await all.tasks.exec(options.id, { execId: 'e2', process: tty, io: { terminal: true, stdin: true } });
    const second = await clientPair();
    await all.tasks.startExec(options.id, 'e2', { ...watching, fd: second.fd });
    native().close(second.fd);
    assert.equal(String(await readAll(second.client)), '33 99\r\n');
    await all.tasks.exec(options.id, { execId: 'e3', process: all.process('', { args: ['nosuch'] }), io });
    await assert.rejects(all.tasks.startExec(options.id, 'e3'), /OCI runtime exec failed: .*nosuch/);

    await all.tasks.kill(options.id, 9);
    assert.equal((await all.tasks.wait(options.id)).code, 137);
    client.destroy();
  });
}
