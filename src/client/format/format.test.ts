import assert from 'node:assert/strict';
import { test } from 'node:test';
import { humanDuration } from '../../api/index.ts';
import { indentJson } from './inspect.ts';
import { alignTable } from './table.ts';
import { compareNatural, ellipsis } from './text.ts';
import { parseTimestamp } from './timestamp.ts';
import { binarySize, formatDuration, humanSize, parseBytes, parseDuration } from './units.ts';

test('a column is as wide as its widest cell and three more, ten at least', () => {
  assert.equal(alignTable('A\tB\nlonger than ten\tx\n'), 'A                 B\nlonger than ten   x\n');
  assert.equal(alignTable('ÄÖ\tB\n'), 'ÄÖ        B\n');
  assert.equal(alignTable('a\tb\tc\nno cells\nd\te\tf\n'), 'a         b         c\nno cells\nd         e         f\n');
});

test('durations as Go reads and writes them', () => {
  assert.equal(parseDuration('1h2m3.5s'), 3723.5e9);
  assert.equal(parseDuration('-5ms'), -5e6);
  assert.throws(() => parseDuration('5'), { message: 'time: missing unit in duration "5"' });
  assert.throws(() => parseDuration('5x'), { message: 'time: unknown unit "x" in duration "5x"' });
  assert.throws(() => parseDuration('x'), { message: 'time: invalid duration "x"' });
  assert.equal(formatDuration(3723.5e9), '1h2m3.5s');
  assert.equal(formatDuration(0), '0s');
});

test('how long ago, for people', () => {
  const said = [0.5, 1, 59, 60, 3599, 3600, 5400, 47 * 3600, 48 * 3600, 15 * 86400, 70 * 86400, 800 * 86400].map(
    seconds => humanDuration(seconds * 1000),
  );
  assert.deepEqual(said, [
    'Less than a second',
    '1 second',
    '59 seconds',
    'About a minute',
    '59 minutes',
    'About an hour',
    '2 hours',
    '47 hours',
    '2 days',
    '2 weeks',
    '2 months',
    '2 years',
  ]);
});

test('sizes', () => {
  assert.deepEqual(
    [0, 77, 1000, 1984294, 1234567890].map(size => humanSize(size, 3)),
    ['0B', '77B', '1kB', '1.98MB', '1.23GB'],
  );
  assert.equal(humanSize(1984294), '1.984MB');
  assert.equal(binarySize(25276510208), '23.54GiB');
  assert.deepEqual(
    ['512', '512b', '1k', '1.5m', '2GB', '1gib', '-1'].map(parseBytes),
    [512, 512, 1024, 1572864, 2147483648, 1073741824, -1],
  );
  assert.throws(() => parseBytes('x'), { message: "invalid size: 'x'" });
});

test('--since takes durations, times and unix seconds', () => {
  const now = Date.parse('2026-01-02T03:04:05Z');
  assert.equal(parseTimestamp('10m', 'since', now), `${now / 1000 - 600}.000000000`);
  assert.equal(parseTimestamp('1136073600.5', 'since', now), '1136073600.5');
  assert.equal(parseTimestamp('2006-01-02T15:04:05.123Z', 'since', now), '1136214245.123000000');
  assert.throws(() => parseTimestamp('x', 'since', now), {
    message: 'invalid value for "since": failed to parse value as time or duration: "x"',
  });
});

test('JSON is indented without being read: digits stay', () => {
  assert.equal(
    indentJson('{"a":[1,{"b":12345678901234567890}],"c":{},"d":"{\\",","e":[ ]}'),
    '{\n    "a": [\n        1,\n        {\n            "b": 12345678901234567890\n        }\n    ],\n    "c": {},\n    "d": "{\\",",\n    "e": []\n}',
  );
});

test('names sort with their numbers as numbers', () => {
  assert.deepEqual(['v10', 'v9', 'a', 'v9b'].sort(compareNatural), ['a', 'v9', 'v9b', 'v10']);
  assert.equal(ellipsis('abcdef', 4), 'abc…');
});
