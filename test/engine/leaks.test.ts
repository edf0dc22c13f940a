// After many rounds of everything, the engine holds what it held before.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Engine, startEngine } from '../harness/engine.ts';
import { needsDockerCli as skip } from '../harness/skip.ts';

const rounds = Number(process.env.BERTH_LEAK_ROUNDS ?? 120);

async function round(engine: Engine): Promise<void> {
  const json = { 'content-type': 'application/json' };
  const created = await engine.api('POST', '/containers/create', { Image: 'busybox', Cmd: ['sleep', '1000'] }, json);
  const { Id } = JSON.parse(created.body) as { Id: string };
  assert.equal((await engine.api('POST', `/containers/${Id}/start`)).status, 204);
  const exec = await engine.api('POST', `/containers/${Id}/exec`, { Cmd: ['true'] }, json);
  const { Id: execId } = JSON.parse(exec.body) as { Id: string };
  assert.equal((await engine.api('POST', `/exec/${execId}/start`, { Detach: true }, json)).status, 200);
  assert.equal((await engine.api('POST', `/containers/${Id}/stop?t=0`)).status, 204);
  assert.equal((await engine.api('DELETE', `/containers/${Id}`)).status, 204);
}

/** What a leak would grow. */
function census(engine: Engine): Record<string, number> {
  const proc = `/proc/${engine.pid}`;
  return {
    descriptors: readdirSync(`${proc}/fd`).length,
    mounts: readFileSync(`${proc}/mounts`, 'utf8').split('\n').length,
    children: readFileSync(`${proc}/task/${engine.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).length,
    veths: readdirSync('/sys/class/net').filter(name => {
      try {
        return (
          readFileSync(`/sys/class/net/${name}/master/ifindex`, 'utf8') ===
          readFileSync(`/sys/class/net/${engine.bridge}/ifindex`, 'utf8')
        );
      } catch {
        return false;
      }
    }).length,
    tasks: readdirSync(`${engine.dir}/exec/tasks`).length,
    containers: readdirSync(`${engine.dir}/data/containers`).length,
  };
}

test(`nothing leaks over ${rounds} containers, ten at a time`, { skip }, async () => {
  await using engine = await startEngine();
  await round(engine); // what is made once is made now
  await sleep(300);
  const before = census(engine);
  let left = rounds;
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      while (left-- > 0) await round(engine);
    }),
  );
  let after = census(engine);
  for (let tries = 0; tries < 50 && after.descriptors! > before.descriptors!; tries++) {
    await sleep(100);
    after = census(engine);
  }
  // Fewer descriptors are no leak: connections of the first round may have been closed since.
  assert.deepEqual({ ...after, descriptors: Math.max(after.descriptors!, before.descriptors!) }, before);
});
