// Whatever a client sends, it gets Docker's status and words, and nothing half made stays.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startEngine } from '../harness/engine.ts';
import { needsDockerCli as skip } from '../harness/skip.ts';

const json = { 'content-type': 'application/json' };

/** request → status and the beginning or pattern of the message */
const cases: readonly (readonly [
  string,
  string,
  string | object | undefined,
  number,
  RegExp,
  Record<string, string>?,
])[] = [
  ['GET', '/nosuch', undefined, 404, /^page not found$/],
  ['PUT', '/containers/json', undefined, 404, /^page not found$/],
  [
    'GET',
    '/v1.23/containers/json',
    undefined,
    400,
    /^client version 1\.23 is too old\. Minimum supported API version is 1\.24/,
  ],
  [
    'GET',
    '/v9.99/containers/json',
    undefined,
    400,
    /^client version 9\.99 is too new\. Maximum supported API version is /,
  ],
  ['POST', '/containers/create', '{', 400, /^invalid JSON: /],
  ['POST', '/containers/create', '{} {}', 400, /^unexpected content after JSON$/],
  [
    'POST',
    '/containers/create',
    '{}',
    400,
    /unsupported Content-Type header \(text\/plain\): must be 'application\/json'/,
    { 'content-type': 'text/plain' },
  ],
  ['POST', '/containers/create', { Image: 5 }, 400, /^invalid JSON: /],
  ['POST', '/containers/create', { Image: 'nosuch:tag' }, 404, /^No such image: nosuch:tag$/],
  [
    'POST',
    '/containers/create',
    { Image: 'UPPER' },
    400,
    /^invalid reference format: repository name \(library\/UPPER\) must be lowercase$/,
  ],
  ['POST', '/containers/create?name=-x', { Image: 'busybox' }, 400, /^Invalid container name \(-x\), only /],
  [
    'POST',
    '/containers/create',
    { Image: 'busybox', HostConfig: { Memory: 100 } },
    400,
    /^Minimum memory limit allowed is 6MB$/,
  ],
  [
    'POST',
    '/containers/create',
    { Image: 'busybox', HostConfig: { NetworkMode: 'bridge', PortBindings: { 'x/tcp': [] } } },
    400,
    /invalid|Invalid/,
  ],
  [
    'POST',
    '/containers/create',
    { Image: 'busybox', HostConfig: { Binds: ['a:relative'] } },
    400,
    /mount path must be absolute/,
  ],
  ['POST', '/containers/nosuch/start', undefined, 404, /^No such container: nosuch$/],
  ['GET', '/containers/nosuch/json', undefined, 404, /^No such container: nosuch$/],
  ['POST', '/containers/nosuch/exec', { Cmd: ['true'] }, 404, /^No such container: nosuch$/],
  ['POST', '/exec/nosuch/start', {}, 404, /^No such exec instance: nosuch$/],
  ['GET', '/images/nosuch/json', undefined, 404, /^No such image: nosuch:latest$|^No such image: nosuch$/],
  ['GET', '/networks/nosuch', undefined, 404, /^network nosuch not found$/],
  ['DELETE', '/networks/bridge', undefined, 403, /bridge is a pre-defined network and cannot be removed/],
  ['GET', '/volumes/nosuch', undefined, 404, /^get nosuch: no such volume$/],
  [
    'GET',
    '/containers/json?filters=%7B%22nosuch%22%3A%7B%22x%22%3Atrue%7D%7D',
    undefined,
    400,
    /^invalid filter 'nosuch'$/,
  ],
  ['GET', '/containers/json?filters=garbage', undefined, 400, /./],
  ['GET', '/services', undefined, 503, /^This node is not a swarm manager\./],
  ['POST', '/swarm/init', {}, 501, /./],
];

test('bad input', { skip }, async t => {
  await using engine = await startEngine();
  const before = await engine.ok('system', 'df', '--format', '{{.Type}} {{.TotalCount}}');
  for (const [method, path, body, status, message, headers] of cases) {
    await t.test(`${method} ${path} ${body === undefined ? '' : JSON.stringify(body)}`, async () => {
      const answer = await engine.api(method, path, body, headers ?? (body === undefined ? {} : json));
      assert.equal(answer.status, status, answer.body);
      assert.match(answer.headers['content-type'] as string, /^application\/json/);
      assert.match((JSON.parse(answer.body) as { message: string }).message, message);
      assert.match(answer.headers.server as string, /^Docker\//);
      assert.match(answer.headers['api-version'] as string, /^1\.\d+$/);
    });
  }
  await t.test('what was refused left nothing behind', async () => {
    assert.equal(await engine.ok('ps', '-aq'), '');
    assert.equal(await engine.ok('volume', 'ls', '-q'), '');
    assert.equal(await engine.ok('system', 'df', '--format', '{{.Type}} {{.TotalCount}}'), before);
  });
  await t.test('two creates with one name: exactly one wins', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => engine.api('POST', '/containers/create?name=race', { Image: 'busybox' }, json)),
    );
    assert.deepEqual(answers.map(answer => answer.status).toSorted(), [201, 409, 409, 409, 409, 409, 409, 409]);
  });
});
