import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkVersion, matchRoute, versionLessThan } from './index.ts';

const cases: readonly (readonly [string, string, string | undefined, Record<string, string>?, string?])[] = [
  ['GET', '/v1.44/containers/json', 'containerList', {}, '1.44'],
  ['GET', '/containers/web/json', 'containerInspect', { id: 'web' }],
  ['GET', '/containers/%2Fweb/json', 'containerInspect', { id: '/web' }],
  ['GET', '/containers//web/json', 'containerInspect', { id: 'web' }],
  ['POST', '/containers/prune', 'containerPrune', {}],
  ['GET', '/images/json', 'imageList', {}],
  ['GET', '/images/a/b:5000/c@sha256:12/json', 'imageInspect', { name: 'a/b:5000/c@sha256:12' }],
  ['GET', '/images/get', 'imageSave', {}],
  ['DELETE', '/images/reg:5000/x', 'imageRemove', { name: 'reg:5000/x' }],
  ['POST', '/images/push/push', 'imagePush', { name: 'push' }],
  ['GET', '/v1.51/_ping', 'ping', {}, '1.51'],
  ['GET', '/v1.51x/info', undefined],
  ['PUT', '/info', undefined],
  ['GET', '/containers/%ff/json', undefined],
  ['GET', '/nonesuch', undefined],
];

for (const [method, path, name, parameters, version] of cases) {
  test(`${method} ${path} is ${name ?? 'no route'}`, () => {
    const match = matchRoute(method, path);
    assert.equal(match?.route.name, name);
    if (match === undefined) return;
    assert.deepEqual(match.parameters, parameters);
    assert.equal(match.version, version);
  });
}

test('versions compare part by part, and those out of range are refused in the engine words', () => {
  assert.ok(versionLessThan('1.9', '1.24'));
  assert.equal(checkVersion(undefined), '1.51');
  assert.equal(checkVersion('1.24'), '1.24');
  assert.throws(() => checkVersion('1.2'), {
    message:
      'client version 1.2 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
  });
  assert.throws(() => checkVersion('1.99'), {
    message: 'client version 1.99 is too new. Maximum supported API version is 1.51',
  });
});
