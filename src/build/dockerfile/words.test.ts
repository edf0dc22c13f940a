import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expand, expandWords } from './words.ts';

const env: Readonly<Record<string, string>> = { A: 'a value', EMPTY: '', P: '/usr/local/bin/tool.tar.gz', N: 'N' };
const lookup = (name: string): string | undefined => env[name];
const options = { escape: '\\' } as const;

const single: readonly [string, string][] = [
  ['plain', 'plain'],
  ['$A', 'a value'],
  ['${A}', 'a value'],
  ['x${A}y$', 'xa valuey$'],
  ['$UNSET.', '.'],
  ['\\$A', '$A'],
  ["'$A'", '$A'],
  ['"$A"', 'a value'],
  ['"\\$A"', '$A'],
  ['"a\\b"', 'a\\b'],
  ['a\\ b', 'a b'],
  ['${UNSET:-d}', 'd'],
  ['${EMPTY:-d}', 'd'],
  ['${EMPTY-d}', ''],
  ['${UNSET-${A}}', 'a value'],
  ['${A:+yes}', 'yes'],
  ['${EMPTY:+yes}', ''],
  ['${EMPTY+yes}', 'yes'],
  ['${P##*/}', 'tool.tar.gz'],
  ['${P#*/}', 'usr/local/bin/tool.tar.gz'],
  ['${P%.*}', '/usr/local/bin/tool.tar'],
  ['${P%%.*}', '/usr/local/bin/tool'],
  ['${P/l/L}', '/usr/Local/bin/tool.tar.gz'],
  ['${P//l/L}', '/usr/LocaL/bin/tooL.tar.gz'],
  ['${P//\\//-}', '-usr-local-bin-tool.tar.gz'],
  ['${A:-}', 'a value'],
];

for (const [text, want] of single) {
  test(`${text} expands to ${JSON.stringify(want)}`, () => {
    assert.equal(expand(text, lookup, options), want);
  });
}

test('words split at white space, also at that which a variable brings, but not inside quotes', () => {
  assert.deepEqual(expandWords('a "b c" $A \'d e\' "$A"', lookup, options), [
    'a',
    'b c',
    'a',
    'value',
    'd e',
    'a value',
  ]);
  assert.deepEqual(expandWords('  "" x', lookup, options), ['', 'x']);
});

test('what cannot be read is refused with the reason', () => {
  for (const [text, reason] of [
    ['${A', /unsupported modifier/],
    ['${A:x}', /unsupported modifier \(:x\)/],
    ['"open', /double-quote/],
    ["'open", /single-quote/],
    ['${UNSET:?must be given}', /UNSET: must be given/],
    ['${', /missing '}'/],
    ['${A', /unsupported modifier/],
  ] as const) {
    assert.throws(() => expand(text, lookup, options), reason, text);
  }
});

test('unset variables are told, those with a default are not', () => {
  const unset: string[] = [];
  expand('$X ${Y:-d} ${Z} $A', lookup, { ...options, onUnset: name => unset.push(name) });
  assert.deepEqual(unset, ['X', 'Z']);
});
