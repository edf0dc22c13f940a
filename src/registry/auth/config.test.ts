import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeAuthHeader, decodeRegistryConfig, registryKey } from './config.ts';

const encode = (value: unknown, as: 'base64' | 'base64url' = 'base64url'): string =>
  Buffer.from(JSON.stringify(value)).toString(as);

test('credentials are read from either alphabet of base64, with and without padding', () => {
  const auth = { username: 'u?~ü', password: 'p', serveraddress: 'x.io' };
  assert.deepEqual(decodeAuthHeader(encode(auth)), auth);
  assert.deepEqual(decodeAuthHeader(encode(auth, 'base64')), auth);
});

test('name and password are taken from the auth field where they are not given themselves', () => {
  assert.deepEqual(decodeAuthHeader(encode({ auth: btoa('u:p:q') })), { username: 'u', password: 'p:q' });
  assert.deepEqual(decodeAuthHeader(encode({ auth: btoa('x:y'), username: 'u', password: 'p' })), {
    username: 'u',
    password: 'p',
  });
});

test('what cannot be read is no credentials', () => {
  for (const header of [undefined, '', '{}', '!!', encode(null), encode([1]), encode({ username: 5 })]) {
    assert.deepEqual(decodeAuthHeader(header), {});
  }
});

test('a build’s credentials are found by the domain of the registry', () => {
  const config = decodeRegistryConfig(
    encode({ 'https://index.docker.io/v1/': { username: 'hub' }, 'x.io:5000': { username: 'x' } }),
  );
  assert.deepEqual(
    [...config],
    [
      ['docker.io', { username: 'hub' }],
      ['x.io:5000', { username: 'x' }],
    ],
  );
  assert.equal(decodeRegistryConfig('nonsense').size, 0);
  assert.equal(registryKey('http://x.io:5000/v2/'), 'x.io:5000');
});
