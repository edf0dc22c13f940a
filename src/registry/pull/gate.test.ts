import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate } from './gate.ts';

test('so many are in at once, the others follow in order', async () => {
  const gate = new Gate(2);
  const order: number[] = [];
  let inside = 0;
  const work = [0, 1, 2, 3, 4].map(async id => {
    using _place = await gate.enter();
    assert.ok(++inside <= 2);
    order.push(id);
    await new Promise(resolve => setTimeout(resolve, 2));
    inside--;
  });
  await Promise.all(work);
  assert.deepEqual(order, [0, 1, 2, 3, 4]);
});

test('who waits is told, and may give up without taking a place', async () => {
  const gate = new Gate(1);
  const held = await gate.enter();
  const stop = new AbortController();
  let waited = false;
  const waiting = gate.enter({ signal: stop.signal, onWait: () => (waited = true) });
  stop.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  assert.ok(waited);
  held[Symbol.dispose]();
  held[Symbol.dispose]();
  using _place = await gate.enter();
  await assert.rejects(gate.enter({ signal: AbortSignal.abort() }), { name: 'AbortError' });
});
