// The daemon may be killed at any moment: containers run on, and the next daemon knows all that happened.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEngine } from '../harness/engine.ts';
import { needsDockerCli as skip } from '../harness/skip.ts';

test('containers outlive a killed daemon, with every log line and every exit code', { skip }, async () => {
  await using engine = await startEngine();
  await engine.ok(
    'run',
    '-d',
    '--name',
    'count',
    'busybox',
    'sh',
    '-c',
    'i=0; while true; do echo $i; i=$((i+1)); sleep 0.01; done',
  );
  await engine.ok('run', '-d', '--name', 'ends', 'busybox', 'sh', '-c', 'echo before; sleep 0.6; echo after; exit 7');
  await engine.ok('run', '-d', '--name', 'cat', '-i', 'busybox', 'cat');
  const pid = await engine.ok('inspect', '-f', '{{.State.Pid}}', 'count');
  await sleep(200);
  await engine.stop('SIGKILL');
  await sleep(1000); // `ends` ends while nobody watches
  await engine.start();

  assert.equal(await engine.ok('ps', '--format', '{{.Names}}'), 'cat\ncount');
  assert.equal(await engine.ok('inspect', '-f', '{{.State.Pid}}', 'count'), pid, 'it is the same process');
  assert.equal(await engine.ok('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'ends'), 'exited 7');
  assert.equal(await engine.ok('logs', 'ends'), 'before\nafter');
  assert.equal(await engine.ok('exec', 'count', 'echo', 'alive'), 'alive');

  const attach = spawn('docker', ['attach', 'cat'], { env: engine.clientEnv, stdio: ['pipe', 'pipe', 'inherit'] });
  const echoed = new Promise<string>(resolve => attach.stdout.once('data', chunk => resolve(String(chunk))));
  attach.stdin.write('through the new daemon\n');
  assert.equal(await echoed, 'through the new daemon\n');
  attach.stdin.end();
  attach.kill();

  assert.equal(await engine.ok('stop', '-t', '0', 'count'), 'count');
  const lines = (await engine.ok('logs', 'count')).split('\n').map(Number);
  assert.ok(lines.length > 60, `${lines.length} lines`);
  assert.deepEqual(
    lines,
    lines.map((_, i) => i),
    'no line is missing or doubled',
  );
});

test('a stopped daemon leaves containers running and takes them up again', { skip }, async () => {
  await using engine = await startEngine();
  const id = await engine.ok(
    'run',
    '-d',
    '-p',
    '127.0.0.1:0:80',
    'busybox',
    'sh',
    '-c',
    'mkdir /www; echo served > /www/index.html; httpd -f -h /www',
  );
  const port = (await engine.ok('port', id, '80')).split(':').at(-1);
  const get = () =>
    fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } }).then(answer => answer.text());
  assert.equal(await eventually(get), 'served\n');
  await engine.stop();
  assert.equal(await get(), 'served\n', 'the kernel forwards without the daemon');
  await engine.start();
  assert.equal(await get(), 'served\n');
  assert.equal((await engine.ok('port', id, '80')).split(':').at(-1), port);
  const again = await engine.docker('run', '--rm', '-p', `127.0.0.1:${port}:80`, 'busybox', 'true');
  assert.match(again.stderr, /port is already allocated/, 'the adopted port is still taken');
});

test('a daemon killed while containers start and stop is clean after the next start', { skip }, async () => {
  await using engine = await startEngine();
  for (let round = 0; round < 3; round++) {
    const busy = Array.from({ length: 4 }, (_, i) =>
      engine.docker('run', '--name', `r${round}-${i}`, 'busybox', 'true'),
    );
    await sleep(20 + round * 25);
    await engine.stop('SIGKILL');
    await Promise.all(busy);
    await engine.start();
    const states = (await engine.ok('ps', '-a', '--format', '{{.Names}} {{.State}}')).split('\n');
    for (const line of states.filter(state => state !== '')) assert.match(line, / (created|running|exited)$/);
    const rm = (await engine.ok('ps', '-aq')).split('\n').filter(id => id !== '');
    if (rm.length > 0) await engine.ok('rm', '-f', ...rm);
    assert.equal(await engine.ok('run', '--rm', 'busybox', 'echo', 'works'), 'works');
  }
});

async function eventually<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (err) {
      if (tries === 50) throw err;
      await sleep(20);
    }
  }
}
