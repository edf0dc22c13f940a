// What a machine that loses power leaves: records of running containers, and nothing that runs. Or a shim that is killed alone.

import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Engine, startEngine } from '../harness/engine.ts';
import { needsDockerCli as skip } from '../harness/skip.ts';

/** The parent of a container's init. */
function shimOf(init: number): number {
  const stat = readFileSync(`/proc/${init}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

const pidOf = async (engine: Engine, name: string): Promise<number> =>
  Number(await engine.ok('inspect', '-f', '{{.State.Pid}}', name));

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await holds()) return;
    await sleep(50);
  }
  assert.fail(`${what} did not happen`);
}

test('after a reboot the policies decide what runs, and what was to vanish has vanished', { skip }, async () => {
  await using engine = await startEngine();
  const run = (name: string, ...flags: string[]) =>
    engine.ok('run', '-d', '--name', name, ...flags, 'busybox', 'sleep', '1000');
  await run('always', '--restart', 'always', '-p', '127.0.0.1:0:80');
  await run('plain');
  await run('vanishes', '--rm');
  await run('stopped', '--restart', 'unless-stopped');
  await engine.ok('stop', '-t', '0', 'stopped');
  const ids = (await engine.ok('ps', '-aq', '--no-trunc')).split('\n');
  const inits = await Promise.all(['always', 'plain', 'vanishes'].map(name => pidOf(engine, name)));
  const shims = inits.map(shimOf);
  await engine.stop('SIGKILL');
  for (const pid of [...shims, ...inits]) process.kill(pid, 'SIGKILL');
  rmSync(join(engine.dir, 'exec'), { recursive: true, force: true });
  await sleep(200);
  // A reboot takes the cgroups too.
  for (const id of ids) for (const cgroup of globSync(`/sys/fs/cgroup/{,*/}docker/${id}`)) rmdirSync(cgroup);
  await engine.start();

  const states = async () => (await engine.ok('ps', '-a', '--format', '{{.Names}} {{.State}}')).split('\n').sort();
  await until(
    'the start by policy',
    async () => (await states()).join() === 'always running,plain exited,stopped exited',
  );
  assert.equal(await engine.ok('inspect', '-f', '{{.State.ExitCode}}', 'plain'), '255');
  assert.equal(await engine.ok('exec', 'always', 'echo', 'alive'), 'alive');
});

test('a shim that is killed takes its container along, and the engine knows', { skip }, async () => {
  await using engine = await startEngine();
  await engine.ok('run', '-d', '--name', 'box', 'busybox', 'sh', '-c', 'sleep 1000 & sleep 1000');
  const init = await pidOf(engine, 'box');
  process.kill(shimOf(init), 'SIGKILL');
  assert.equal(await engine.ok('wait', 'box'), '137');
  assert.equal(await engine.ok('inspect', '-f', '{{.State.Status}}', 'box'), 'exited');
  await engine.ok('start', 'box');
  assert.equal(await engine.ok('inspect', '-f', '{{.State.Status}}', 'box'), 'running');
  assert.deepEqual(readdirSync(join(engine.dir, 'exec/tasks')).filter(name => !name.startsWith('.')).length, 1);
});

test('without live-restore containers stop with the daemon, and policies start them again', { skip }, async () => {
  await using engine = await startEngine({ flags: ['--live-restore=false', '--userland-proxy=false'] });
  const stops = ['sh', '-c', 'trap "exit 3" TERM; while true; do sleep 0.05; done'];
  await engine.ok('run', '-d', '--name', 'plain', 'busybox', ...stops);
  await engine.ok('run', '-d', '--name', 'again', '--restart', 'unless-stopped', 'busybox', ...stops);
  await engine.stop();
  assert.deepEqual(globSync('*', { cwd: join(engine.dir, 'exec/tasks') }), [], 'nothing runs without the daemon');
  assert.match(readFileSync(engine.log, 'utf8'), /the option \\?"userland-proxy\\?" has no effect in this engine/);
  await engine.start();
  assert.equal(await engine.ok('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'plain'), 'exited 3');
  await until(
    'the restart',
    async () => (await engine.ok('inspect', '-f', '{{.State.Status}}', 'again')) === 'running',
  );
});
