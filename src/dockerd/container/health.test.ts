import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerConfigShape, type Health } from '../../api/index.ts';
import { healthPlan, nextHealth } from './health.ts';

const result = (ExitCode: number) => ({ Start: '', End: '', ExitCode, Output: '' });
const starting: Health = { Status: 'starting', FailingStreak: 0, Log: [] };

test('unhealthy after so many failures in a row, healthy after one success', () => {
  let health = starting;
  const after = (exitCode: number, inStartPeriod = false) => {
    health = nextHealth(health, result(exitCode), 2, inStartPeriod);
    return `${health.Status} ${health.FailingStreak}`;
  };
  assert.equal(after(1, true), 'starting 0');
  assert.equal(after(1), 'starting 1');
  assert.equal(after(1), 'unhealthy 2');
  assert.equal(after(0), 'healthy 0');
  assert.equal(after(1, true), 'healthy 1');
  for (let i = 0; i < 9; i++) after(0);
  assert.equal(health.Log?.length, 5);
});

test('the plan has the defaults, the shell and the forms', () => {
  const plan = (Healthcheck: object, more: object = {}) =>
    healthPlan({ ...containerConfigShape.zero(), ...more, Healthcheck } as never);
  assert.equal(plan({ Test: ['NONE'] }), undefined);
  assert.equal(plan({ Test: [] }), undefined);
  assert.deepEqual(plan({ Test: ['CMD-SHELL', 'x y'] })?.command, ['/bin/sh', '-c', 'x y']);
  assert.deepEqual(plan({ Test: ['CMD-SHELL', 'x'] }, { Shell: ['/bin/bash', '-c'] })?.command, [
    '/bin/bash',
    '-c',
    'x',
  ]);
  const { intervalMs, timeoutMs, startPeriodMs, startIntervalMs, retries } = plan({
    Test: ['CMD', 'x'],
    Interval: 1e9,
  })!;
  assert.deepEqual([intervalMs, timeoutMs, startPeriodMs, startIntervalMs, retries], [1000, 30_000, 0, 5000, 3]);
});
