import assert from 'node:assert/strict';
import { test } from 'node:test';
import { humanDuration } from '../../api/index.ts';
import { newState, statusOf } from './record.ts';
import { statusText } from './status-text.ts';

test("lengths of time in Docker's words", () => {
  const s = 1000;
  const cases: [number, string][] = [
    [500, 'Less than a second'],
    [1 * s, '1 second'],
    [59 * s, '59 seconds'],
    [60 * s, 'About a minute'],
    [150 * s, '2 minutes'],
    [3600 * s, 'About an hour'],
    [7200 * s, '2 hours'],
    [47 * 3600 * s, '47 hours'],
    [3 * 86_400 * s, '3 days'],
    [15 * 86_400 * s, '2 weeks'],
    [70 * 86_400 * s, '2 months'],
    [800 * 86_400 * s, '2 years'],
  ];
  for (const [ms, text] of cases) assert.equal(humanDuration(ms), text);
});

test('a state as ps shows it', () => {
  const now = Date.parse('2026-01-01T00:01:00Z');
  const at = '2026-01-01T00:00:50Z';
  const text = (fields: object) => statusText({ ...newState(), ...fields }, now);
  assert.equal(text({}), 'Created');
  assert.equal(text({ running: true, startedAt: at }), 'Up 10 seconds');
  assert.equal(text({ running: true, paused: true, startedAt: at }), 'Up 10 seconds (Paused)');
  assert.equal(text({ exitCode: 137, startedAt: at, finishedAt: at }), 'Exited (137) 10 seconds ago');
  assert.equal(text({ running: true, restarting: true, exitCode: 1, finishedAt: at }), 'Restarting (1) 10 seconds ago');
  const health = { Status: 'starting', FailingStreak: 0, Log: [] };
  assert.equal(text({ running: true, startedAt: at, health }), 'Up 10 seconds (health: starting)');
  assert.equal(statusOf({ ...newState(), running: true, restarting: true }), 'restarting');
});
