// The daemon is killed in the middle of everything, again and again: what it has acknowledged holds, and what was half made is gone.

import assert from 'node:assert/strict';
import { globSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Engine, startEngine } from '../harness/engine.ts';
import { needsDockerCli } from '../harness/skip.ts';

/** What clients were told. */
interface Told {
  readonly created: Set<string>;
  readonly started: Set<string>;
  /** A removal was asked for: it may have happened, whatever the answer. */
  readonly removing: Set<string>;
}

/** Creates, starts and removes containers until the daemon is gone. */
async function client(engine: Engine, told: Told, number: number, over: () => boolean): Promise<void> {
  for (let i = 0; !over(); i++) {
    try {
      const name = `c${number}-${i}-${Math.random().toString(36).slice(2)}`;
      const made = await engine.api('POST', `/containers/create?name=${name}`, {
        Image: 'busybox',
        Cmd: ['sh', '-c', 'echo here; sleep 1000'],
        HostConfig: { Binds: ['/data'] },
      });
      if (made.status !== 201) return;
      const { Id } = JSON.parse(made.body) as { Id: string };
      told.created.add(Id);
      if ((await engine.api('POST', `/containers/${Id}/start`)).status === 204) told.started.add(Id);
      if (i % 3 !== 0) continue;
      told.removing.add(Id);
      await engine.api('DELETE', `/containers/${Id}?force=1&v=1`);
    } catch {
      return; // the daemon is gone
    }
  }
}

test('a daemon killed at any instant loses nothing that it has acknowledged', { skip: needsDockerCli }, async () => {
  await using engine = await startEngine();
  for (let round = 0; round < 5; round++) {
    const told: Told = { created: new Set(), started: new Set(), removing: new Set() };
    let over = false;
    const clients = [0, 1, 2].map(number => client(engine, told, number, () => over));
    await sleep(80 + Math.random() * 250);
    await engine.stop('SIGKILL');
    over = true;
    await Promise.all(clients);
    await engine.start();

    const listed = JSON.parse((await engine.api('GET', '/containers/json?all=1')).body) as {
      Id: string;
      State: string;
    }[];
    const states = new Map(listed.map(({ Id, State }) => [Id, State]));
    for (const id of told.created) {
      if (told.removing.has(id)) continue;
      assert.ok(states.has(id), `container ${id} was created and is gone`);
      if (told.started.has(id)) assert.equal(states.get(id), 'running', `container ${id} was started`);
    }
    for (const [id, state] of states) {
      assert.ok(['running', 'created', 'exited'].includes(state), `container ${id} is ${state}`);
      if (state !== 'running') continue;
      const log = await engine.api('GET', `/containers/${id}/logs?stdout=1`);
      assert.match(log.body, /here/, `the log of ${id}`);
    }
    for (const id of states.keys()) {
      const removed = await engine.api('DELETE', `/containers/${id}?force=1&v=1`);
      assert.equal(removed.status, 204, removed.body);
    }
    const kept = readdirSync(join(engine.dir, 'data/containers'));
    for (let i = 0; kept.length > 0 && i < 20; i++) {
      await sleep(50);
      kept.splice(0, kept.length, ...readdirSync(join(engine.dir, 'data/containers')));
    }
    assert.deepEqual(kept, [], 'directories of containers');
  }
  // Layers, the image's init layer; no container's.
  const snapshots = globSync('*/*', { cwd: join(engine.dir, 'data/snapshots') });
  assert.ok(snapshots.length <= 4, `snapshots: ${snapshots.join(' ')}`);
});
