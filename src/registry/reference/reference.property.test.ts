import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInvalidArgument } from '../../errdefs/index.ts';
import { parseChallenges } from '../auth/challenge.ts';
import { decodeAuthHeader } from '../auth/config.ts';
import { parseToml } from '../hosts/toml.ts';
import { familiarString, formatReference, parseReference } from './reference.ts';

/** The same numbers each run, so that a failure can be found again. */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const pick = <T>(next: (below: number) => number, from: readonly T[]): T => from[next(from.length)] as T;

test('whatever is parsed is written and parsed again to the same', () => {
  const next = random(1);
  const alphabet = [
    'a',
    'b9',
    'A',
    '0',
    '.',
    '_',
    '__',
    '-',
    '--',
    '/',
    ':',
    '@',
    'localhost',
    'docker.io',
    'library',
    'x.y',
    '[::1]',
    '5000',
    `sha256:${'a'.repeat(64)}`,
    ' ',
    'é',
  ];
  let parsed = 0;
  for (let round = 0; round < 20_000; round++) {
    const text = Array.from({ length: 1 + next(9) }, () => pick(next, alphabet)).join('');
    try {
      const ref = parseReference(text);
      parsed++;
      assert.deepEqual(parseReference(formatReference(ref)), ref, text);
      assert.deepEqual(parseReference(familiarString(ref)), ref, text);
    } catch (err) {
      assert.ok(isInvalidArgument(err), `${text}: ${err}`);
    }
  }
  assert.ok(parsed > 1000, `${parsed} of the texts were references`);
});

test('bytes at random are read or refused, never more', () => {
  const next = random(2);
  const bits = [
    '[',
    ']',
    '"',
    "'",
    '=',
    ',',
    '#',
    '\n',
    '\\',
    ' ',
    'a',
    '1',
    '.',
    'true',
    'Bearer ',
    'realm',
    '{',
    '\0',
    '\u{1f600}',
  ];
  for (let round = 0; round < 20_000; round++) {
    const text = Array.from({ length: next(20) }, () => pick(next, bits)).join('');
    parseChallenges(text);
    decodeAuthHeader(text);
    try {
      parseToml(text, 'hosts.toml');
    } catch (err) {
      assert.ok(isInvalidArgument(err), `${JSON.stringify(text)}: ${err}`);
    }
  }
});
