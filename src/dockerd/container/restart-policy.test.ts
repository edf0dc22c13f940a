import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideRestart, noRestarts, type RestartHistory } from './restart-policy.ts';

const ended = (exitCode: number, ranMs = 5, manuallyStopped = false) => ({ exitCode, ranMs, manuallyStopped });

test('the delay doubles from 100 ms to a minute, and begins anew after a run of ten seconds', () => {
  let history: RestartHistory = noRestarts;
  const delays: number[] = [];
  for (let i = 0; i < 12; i++) {
    const next = decideRestart({ Name: 'always', MaximumRetryCount: 0 }, history, ended(1))!;
    delays.push(next.delayMs);
    history = next.history;
  }
  assert.deepEqual(delays.slice(0, 5), [100, 200, 400, 800, 1600]);
  assert.equal(delays.at(-1), 60_000);
  assert.equal(decideRestart({ Name: 'always', MaximumRetryCount: 0 }, history, ended(1, 10_000))?.delayMs, 100);
});

test('on-failure counts failures only, and stops at its maximum', () => {
  const policy = { Name: 'on-failure', MaximumRetryCount: 2 };
  assert.equal(decideRestart(policy, noRestarts, ended(0)), undefined);
  assert.notEqual(decideRestart(policy, { count: 1, delayMs: 100 }, ended(1)), undefined);
  assert.equal(decideRestart(policy, { count: 2, delayMs: 200 }, ended(1)), undefined);
});

test('a manual stop ends every policy', () => {
  for (const Name of ['always', 'unless-stopped', 'on-failure']) {
    assert.equal(decideRestart({ Name, MaximumRetryCount: 0 }, noRestarts, ended(137, 5, true)), undefined);
  }
});
