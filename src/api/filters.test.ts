import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Filters, parseFilters } from './index.ts';

test('reads both encodings', () => {
  assert.deepEqual(parseFilters('{"status":{"running":true,"paused":true}}').get('status'), ['running', 'paused']);
  assert.deepEqual(parseFilters('{"status":["running","paused"]}').get('status'), ['running', 'paused']);
  assert.ok(parseFilters('').isEmpty);
});

for (const bad of ['x', '[]', '"x"', '{"x":"y"}', '{"x":[1]}', '{"x":{"a":"b"}}']) {
  test(`refuses ${bad}`, () => {
    assert.throws(() => parseFilters(bad), { code: 'InvalidArgument', message: 'invalid filter' });
  });
}

test('refuses an unknown key', () => {
  assert.throws(() => parseFilters('{"x":["y"]}').validate(['id']), { message: "invalid filter 'x'" });
});

test('a boolean filter is one of 0, 1, true and false, not both', () => {
  assert.equal(parseFilters('{"dangling":["1"]}').bool('dangling', false), true);
  assert.equal(parseFilters('{}').bool('dangling', true), true);
  assert.throws(() => parseFilters('{"dangling":["true","false"]}').bool('dangling', false), {
    message: "invalid filter 'dangling=[true false]'",
  });
});

test('every label must hold; a name alone asks for presence', () => {
  const filters = parseFilters('{"label":["a","b=1"]}');
  assert.ok(filters.labels('label', { a: 'x', b: '1' }));
  assert.ok(!filters.labels('label', { a: 'x', b: '2' }));
  assert.ok(!filters.labels('label', null));
  assert.ok(!parseFilters('{"label":["toString"]}').labels('label', {}));
});

test('match takes a pattern, and a part where it is no pattern', () => {
  assert.ok(parseFilters('{"name":["^/we"]}').match('name', '/web'));
  assert.ok(parseFilters('{"name":["[x"]}').match('name', 'a[x'));
});

test('encodes sorted', () => {
  const filters = new Filters([
    ['status', ['running', 'exited']],
    ['label', ['a']],
  ]);
  assert.equal(filters.encode(), '{"label":{"a":true},"status":{"exited":true,"running":true}}');
});
