import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChallenges } from './challenge.ts';

const parse = (header: string | string[]) =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, { ...parameters }]);

test('the challenge of Docker Hub is read', () => {
  const header =
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"';
  assert.deepEqual(parse(header), [
    [
      'bearer',
      { realm: 'https://auth.docker.io/token', service: 'registry.docker.io', scope: 'repository:a/b:pull,push' },
    ],
  ]);
});

test('several challenges are read from one line and from several', () => {
  const both = [
    ['basic', { realm: 'a, b' }],
    ['bearer', { realm: 'x' }],
  ];
  assert.deepEqual(parse('Basic realm="a, b", Bearer realm=x'), both);
  assert.deepEqual(parse(['Basic realm="a, b"', 'BEARER realm="x"']), both);
});

test('quotes, blanks and schemes without parameters are read', () => {
  assert.deepEqual(parse('Bearer realm = "a\\"b" , error="insufficient_scope"'), [
    ['bearer', { realm: 'a"b', error: 'insufficient_scope' }],
  ]);
  assert.deepEqual(parse('Negotiate, Basic realm=""'), [
    ['negotiate', {}],
    ['basic', { realm: '' }],
  ]);
});

test('what is malformed ends the reading, and quickly', () => {
  assert.deepEqual(parse(''), []);
  assert.deepEqual(parse('realm="x"'), []);
  assert.deepEqual(parse('Bearer realm="unclosed'), [['bearer', { realm: '' }]]);
  const started = performance.now();
  for (const text of [','.repeat(1e5), 'a '.repeat(1e4), `Bearer ${'a=b,'.repeat(1e4)}`, `B x="${'\\"'.repeat(1e4)}`])
    parse(text);
  assert.ok(performance.now() - started < 1000);
});

test('a parameter named like what all objects have is only a parameter', () => {
  const [challenge] = parseChallenges('Bearer __proto__="x", constructor=y');
  assert.equal(challenge?.parameters.realm, undefined);
  assert.equal(Object.getPrototypeOf(challenge?.parameters), null);
});
