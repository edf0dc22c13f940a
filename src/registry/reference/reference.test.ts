import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInvalidArgument } from '../../errdefs/index.ts';
import { familiarName, familiarString, formatReference, parseReference, withDefaultTag, withTag } from './reference.ts';

const hex = 'a'.repeat(64);

const good: [text: string, full: string, familiar: string][] = [
  ['ubuntu', 'docker.io/library/ubuntu', 'ubuntu'],
  ['ubuntu:22.04', 'docker.io/library/ubuntu:22.04', 'ubuntu:22.04'],
  ['library/ubuntu', 'docker.io/library/ubuntu', 'ubuntu'],
  ['docker.io/ubuntu', 'docker.io/library/ubuntu', 'ubuntu'],
  ['index.docker.io/ubuntu', 'docker.io/library/ubuntu', 'ubuntu'],
  ['docker.io/library/foo/bar', 'docker.io/library/foo/bar', 'library/foo/bar'],
  ['user/app', 'docker.io/user/app', 'user/app'],
  ['localhost/x', 'localhost/x', 'localhost/x'],
  ['localhost:5000/x:y', 'localhost:5000/x:y', 'localhost:5000/x:y'],
  ['127.0.0.1:5000/a/b', '127.0.0.1:5000/a/b', '127.0.0.1:5000/a/b'],
  ['[::1]:5000/a', '[::1]:5000/a', '[::1]:5000/a'],
  ['[2001:db8::1]/a', '[2001:db8::1]/a', '[2001:db8::1]/a'],
  ['Registry/app', 'Registry/app', 'Registry/app'],
  ['quay.io/a__b/c--d.e_f', 'quay.io/a__b/c--d.e_f', 'quay.io/a__b/c--d.e_f'],
  [`ubuntu@sha256:${hex}`, `docker.io/library/ubuntu@sha256:${hex}`, `ubuntu@sha256:${hex}`],
  [`a/b:t@sha256:${hex}`, `docker.io/a/b:t@sha256:${hex}`, `a/b:t@sha256:${hex}`],
  [`${hex}:tag`, `docker.io/library/${hex}:tag`, `${hex}:tag`],
  [`a:${'t'.repeat(128)}`, `docker.io/library/a:${'t'.repeat(128)}`, `a:${'t'.repeat(128)}`],
];

const bad: [text: string, message: string][] = [
  ['', 'invalid reference format'],
  [':tag', 'invalid reference format'],
  ['a:b:c', 'invalid reference format'],
  ['a//b', 'invalid reference format'],
  ['/a', 'invalid reference format'],
  ['a/', 'invalid reference format'],
  ['-a/b', 'invalid reference format'],
  ['a___b', 'invalid reference format'],
  ['a..b/c', 'invalid reference format'],
  ['a b', 'invalid reference format'],
  ['https://x.io/a', 'invalid reference format'],
  ['a@sha256:abc', 'invalid reference format'],
  [`a:${'t'.repeat(129)}`, 'invalid reference format'],
  ['UBUNTU', 'invalid reference format: repository name (library/UBUNTU) must be lowercase'],
  ['user/App:x', 'invalid reference format: repository name (user/App) must be lowercase'],
  ['q.io/A/b', 'invalid reference format: repository name (A/b) must be lowercase'],
  [hex, `invalid repository name (${hex}), cannot specify 64-byte hexadecimal strings`],
  [`a@sha256:${'a'.repeat(40)}`, 'invalid checksum digest length'],
  [`a@md5:${'a'.repeat(32)}`, 'unsupported digest algorithm'],
  [`x.io/${'a'.repeat(256)}`, 'repository name must not be more than 255 characters'],
];

for (const [text, full, familiar] of good) {
  test(`"${text.slice(0, 40)}" is ${full.slice(0, 60)}`, () => {
    const ref = parseReference(text);
    assert.equal(formatReference(ref), full);
    assert.equal(familiarString(ref), familiar);
    assert.deepEqual(parseReference(full), ref, 'the full form parses to the same');
    assert.deepEqual(parseReference(familiar), ref, 'the familiar form parses to the same');
  });
}

for (const [text, message] of bad) {
  test(`"${text.slice(0, 40)}" is refused: ${message.slice(0, 60)}`, () => {
    assert.throws(
      () => parseReference(text),
      (err: Error) => isInvalidArgument(err) && err.message === message,
    );
  });
}

test('a default tag is given only where there is neither tag nor digest', () => {
  assert.equal(familiarString(withDefaultTag(parseReference('a'))), 'a:latest');
  assert.equal(familiarString(withDefaultTag(parseReference('a:b'))), 'a:b');
  assert.equal(familiarName(withDefaultTag(parseReference(`a@sha256:${hex}`))), 'a');
});

test('a tag replaces tag and digest', () => {
  assert.equal(familiarString(withTag(parseReference(`a:b@sha256:${hex}`), 'c')), 'a:c');
  assert.throws(() => withTag(parseReference('a'), 'b c'), /invalid tag format/);
});

test('a hostile long text is refused quickly', () => {
  const started = performance.now();
  for (const text of [
    'a-'.repeat(2000),
    'a.'.repeat(2000),
    '-'.repeat(4000),
    `${'a/'.repeat(1500)}:`,
    'a'.repeat(1e6),
  ]) {
    assert.throws(() => parseReference(text));
  }
  assert.ok(performance.now() - started < 500);
});
