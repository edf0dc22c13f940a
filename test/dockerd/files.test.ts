// cp, export, diff and commit, of containers that run and of others; nothing leads out of a container's root, and nothing stays open.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Engine, startEngine } from '../harness/engine.ts';
import { needsDockerCli as skip } from '../harness/skip.ts';

const openFiles = (engine: Engine): number => readdirSync(`/proc/${engine.pid}/fd`).length;

function folder() {
  const directory = mkdtempSync(join(tmpdir(), 'berth-files-'));
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}

test('files go in and out, also of volumes, before a container ever ran', { skip }, async () => {
  await using engine = await startEngine();
  using host = folder();
  const file = join(host.directory, 'f');
  writeFileSync(file, 'one\n');
  await engine.ok(
    'create',
    '--name',
    'box',
    '-v',
    'vol:/deep/vol',
    '-v',
    `${host.directory}:/ro:ro`,
    'busybox',
    'sleep',
    '100',
  );
  await engine.ok('cp', file, 'box:/deep/vol/f');
  await engine.ok('cp', file, 'box:/tmp/f');
  assert.equal(readFileSync(join(engine.dir, 'data/volumes/vol/_data/f'), 'utf8'), 'one\n');
  await engine.ok('cp', 'box:/deep', join(host.directory, 'out'));
  assert.equal(readFileSync(join(host.directory, 'out/vol/f'), 'utf8'), 'one\n');
  const refused = await engine.docker('cp', file, 'box:/ro/f');
  assert.match(refused.stderr, /mounted volume is marked read-only/);
  const missing = await engine.docker('cp', 'box:/nosuch', host.directory);
  assert.match(missing.stderr, /Could not find the file \/nosuch in container box/);

  await engine.ok('start', 'box');
  assert.equal(await engine.ok('exec', 'box', 'cat', '/tmp/f', '/deep/vol/f'), 'one\none');
  await engine.ok('cp', file, 'box:/dev/shm/f');
  assert.equal(await engine.ok('exec', 'box', 'cat', '/dev/shm/f'), 'one');
});

test("links of a container lead to the container's own files only", { skip }, async () => {
  await using engine = await startEngine();
  using host = folder();
  const file = join(host.directory, 'f');
  const victim = join(host.directory, 'victim');
  writeFileSync(file, 'from outside\n');
  const links = `ln -s ${host.directory} /evil; ln -s ../../../../../..${victim} /up; ln -s /nosuch /dangling; sleep 100`;
  await engine.ok('run', '-d', '--name', 'box', 'busybox', 'sh', '-c', `mkdir -p ${host.directory}; ${links}`);
  for (const running of [true, false]) {
    if (!running) await engine.ok('stop', '-t', '0', 'box');
    await engine.ok('cp', file, 'box:/evil/victim');
    await engine.ok('cp', file, 'box:/up');
    await engine.ok('cp', file, 'box:/dangling');
    assert.ok(!existsSync(victim), 'nothing was written on the host');
    await engine.ok('cp', 'box:/evil/victim', join(host.directory, `back-${running}`));
    assert.equal(readFileSync(join(host.directory, `back-${running}`), 'utf8'), 'from outside\n');
  }
});

test('diff and commit tell what a container changed; broken archives and readers leave nothing open', {
  skip,
}, async () => {
  await using engine = await startEngine();
  await engine.ok(
    'run',
    '-d',
    '--name',
    'box',
    'busybox',
    'sh',
    '-c',
    'echo x > /new; rm /bin/true; touch /done; sleep 100',
  );
  while ((await engine.docker('exec', 'box', 'test', '-e', '/done')).code !== 0);
  assert.equal(await engine.ok('diff', 'box'), 'C /bin\nD /bin/true\nA /done\nA /new');
  await engine.ok('commit', '-c', 'CMD ["cat", "/new"]', 'box', 'made:1');
  assert.equal(await engine.ok('run', '--rm', 'made:1'), 'x');

  assert.equal((await engine.api('GET', '/containers/box/export')).status, 200);
  const before = openFiles(engine);
  for (let i = 0; i < 3; i++) {
    const broken = await engine.api('PUT', '/containers/box/archive?path=/tmp', 'no archive');
    assert.equal(broken.status, 400, broken.body);
    assert.equal((await engine.api('GET', '/containers/box/archive?path=/nosuch')).status, 404);
    assert.equal((await engine.api('GET', '/containers/box/export')).status, 200);
  }
  // Worker threads take a moment to end.
  for (let i = 0; openFiles(engine) > before + 4 && i < 50; i++) await new Promise(resolve => setTimeout(resolve, 50));
  assert.ok(openFiles(engine) <= before + 4, `${before} files were open, now ${openFiles(engine)}`);
});
