import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFilters } from '../../api/index.ts';
import { eventMatcher } from './event-filter.ts';
import { EventLog, eventJson } from './event-log.ts';

test('the last 256 messages are kept; a listener gets the backlog and what follows, and nothing twice', () => {
  const log = new EventLog();
  for (let i = 0; i < 300; i++) log.publish('container', 'create', `c${i}`);
  const live: string[] = [];
  const { backlog, close } = log.subscribe(0n, event => live.push(event.Actor.ID));
  assert.equal(backlog.length, 256);
  assert.equal(backlog[0]?.Actor.ID, 'c44');
  log.publish('container', 'start', 'next');
  close();
  log.publish('container', 'start', 'after');
  assert.deepEqual(live, ['next']);
  assert.deepEqual(log.subscribe(undefined, () => {}).backlog, []);
});

test('filters as Docker reads them', () => {
  const log = new EventLog();
  log.publish('container', 'exec_create: sh -c x', 'abc123', { image: 'busybox:1', name: 'web', tier: 'front' });
  const [event] = log.between(0n, 1n << 62n);
  const fits = (filters: object) => eventMatcher(parseFilters(JSON.stringify(filters)))(event!);
  assert.ok(fits({}));
  assert.ok(fits({ container: ['web'] }) && fits({ container: ['abc'] }) && !fits({ container: ['nginx'] }));
  assert.ok(fits({ event: ['exec_create'] }) && !fits({ event: ['exec_start'] }));
  assert.ok(fits({ label: ['tier=front'] }) && !fits({ label: ['tier=front', 'other'] }));
  assert.ok(fits({ image: ['busybox'] }) && fits({ image: ['busybox:1'] }) && !fits({ image: ['alpine'] }));
  assert.ok(fits({ type: ['network', 'container'] }) && !fits({ type: ['network'] }));
});

test('the JSON has nanoseconds to the last digit, and the old fields for old clients', () => {
  const log = new EventLog();
  log.publish('container', 'start', 'abc', { image: 'busybox' });
  const [event] = log.between(0n, 1n << 62n);
  const json = eventJson(event!, true);
  assert.ok(json.endsWith(`"timeNano":${event!.timeNano}}`));
  assert.deepEqual(
    [JSON.parse(json)].map(({ status, id, from }) => [status, id, from]),
    [['start', 'abc', 'busybox']],
  );
  assert.ok(!eventJson(event!, false).includes('"status"'));
});
