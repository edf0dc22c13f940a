// docker pull from Debian's docker-registry, through all layers of the engine.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEngine } from '../harness/engine.ts';
import { needsDockerCli as skip } from '../harness/skip.ts';
import { startRegistry } from '../registry/registry.ts';

test('an image goes to a registry and comes back', { skip }, async () => {
  await using registry = await startRegistry();
  await using engine = await startEngine();
  const name = `${registry.host}/a/busybox:1`;
  await engine.ok('tag', 'busybox', name);
  const pushed = await engine.ok('push', name);
  assert.match(pushed, /The push refers to repository \[127\.0\.0\.1:\d+\/a\/busybox\]/);
  assert.match(pushed, /1: digest: sha256:[0-9a-f]{64} size: \d+/);
  await engine.ok('rmi', name, 'busybox');
  assert.equal(await engine.ok('images', '-q'), '');

  const pulled = await engine.ok('pull', name);
  assert.match(pulled, /1: Pulling from a\/busybox/);
  assert.match(pulled, /Pull complete/);
  assert.match(pulled, /Digest: sha256:[0-9a-f]{64}\nStatus: Downloaded newer image for 127\.0\.0\.1/);
  assert.match(await engine.ok('pull', name), /Status: Image is up to date for 127\.0\.0\.1/);
  assert.equal(await engine.ok('run', '--rm', name, 'echo', 'pulled'), 'pulled');

  const missing = await engine.docker('pull', `${registry.host}/a/nosuch:1`);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /not found|manifest unknown/);
});

test('a pull that is killed goes on where it was', { skip }, async () => {
  await using registry = await startRegistry();
  await using engine = await startEngine();
  const name = `${registry.host}/big:1`;
  // 40 MB that do not compress.
  const id = await engine.ok('run', '-d', 'busybox', 'sh', '-c', 'head -c 40000000 /dev/urandom > /big; md5sum /big');
  await engine.ok('wait', id);
  const sum = await engine.ok('logs', id);
  await engine.ok('commit', id, name);
  await engine.ok('push', name);
  await engine.ok('rm', id);
  await engine.ok('rmi', name);

  const pull = spawn('docker', ['pull', name], { env: engine.clientEnv, stdio: 'ignore' });
  const ended = new Promise(resolve => pull.once('exit', resolve));
  await sleep(150);
  await engine.stop('SIGKILL');
  await ended;
  await engine.start();
  await engine.ok('pull', name);
  assert.equal(await engine.ok('run', '--rm', name, 'md5sum', '/big'), sum);
});
