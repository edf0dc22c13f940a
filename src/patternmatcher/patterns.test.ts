import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IgnoreRules } from './patterns.ts';

/** pattern file → paths that are left out, and paths that stay. */
const cases: readonly [string, readonly string[], readonly string[]][] = [
  ['node_modules', ['node_modules', 'node_modules/a/b'], ['src/node_modules', 'node_modules2']],
  ['*/temp*', ['a/temp', 'a/temporary.txt', 'a/temp/b'], ['temp', 'a/b/temp']],
  ['**/*.go', ['a.go', 'a/b/c.go'], ['a.goo', 'go']],
  ['/abs', ['abs', 'abs/x'], ['x/abs']],
  ['*.md\n!README.md', ['a.md'], ['README.md', 'docs/a.md']],
  ['dir\n!dir/keep', ['dir', 'dir/a'], ['dir/keep', 'dir/keep/x']],
  ['*\n!src', ['a', 'a/src'], ['src', 'src/a']],
  ['# comment\n\n  a  \n', ['a'], ['# comment', 'b']],
  ['a/../b', ['b'], ['a']],
  ['./a//b/', ['a/b', 'a/b/c'], ['a']],
  ['[ab]?c', ['axc', 'b-c'], ['ac', 'a/c', 'cxc']],
  ['[^a]b', ['xb'], ['ab', '/b']],
  ['a\\*b', ['a*b'], ['aXb']],
  ['**', ['a', 'a/b'], []],
  ['a/**/z', ['a/z', 'a/b/z', 'a/b/c/z'], ['z', 'a']],
  ['!only', [], ['only', 'other']],
];

for (const [file, ignored, kept] of cases) {
  test(`${JSON.stringify(file)} leaves out what it names and nothing else`, () => {
    const rules = IgnoreRules.parse(file);
    for (const path of ignored) assert.equal(rules.ignores(path), true, path);
    for (const path of kept) assert.equal(rules.ignores(path), false, path);
  });
}

test('a pattern that cannot be read is refused', () => {
  for (const bad of ['a[', 'a\\', '!']) assert.throws(() => IgnoreRules.parse(bad), { code: 'InvalidArgument' });
});
