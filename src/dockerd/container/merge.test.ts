import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerConfigShape } from '../../api/index.ts';
import { commandOf, environmentOf, mergeConfig, replaceEnv } from './merge.ts';

const request = (fields: object = {}) => ({ ...containerConfigShape.zero(), ...fields });
const image = {
  Cmd: ['default'],
  Entrypoint: ['/entry'],
  Env: ['PATH=/bin', 'A=image'],
  Labels: { a: 'image', b: 'image' },
  ExposedPorts: { '80/tcp': {} },
  Volumes: { '/data': {} },
  User: 'web',
  WorkingDir: '/srv',
};

test("an entry point of the request drops the image's command; a command alone keeps the entry point", () => {
  const command = (fields: object) => commandOf(mergeConfig(request(fields), image));
  assert.deepEqual(command({}), { path: '/entry', args: ['default'] });
  assert.deepEqual(command({ Cmd: ['x'] }), { path: '/entry', args: ['x'] });
  assert.deepEqual(command({ Entrypoint: ['/other'] }), { path: '/other', args: [] });
  assert.deepEqual(command({ Entrypoint: [''], Cmd: ['x'] }), { path: 'x', args: [] });
  assert.equal(command({ Entrypoint: [''] }), undefined);
});

test('lists are joined, and the request wins', () => {
  const merged = mergeConfig(
    request({ Env: ['A=mine'], Labels: { a: 'mine' }, ExposedPorts: { '99/udp': {} } }),
    image,
  );
  assert.deepEqual(merged.Env, ['A=mine', 'PATH=/bin']);
  assert.deepEqual(merged.Labels, { a: 'mine', b: 'image' });
  assert.deepEqual(Object.keys(merged.ExposedPorts ?? {}), ['80/tcp', '99/udp']);
  assert.equal(merged.User, 'web');
  assert.equal(mergeConfig(request({ Volumes: {} }), {}).Volumes, null);
});

test('health checks are merged field by field', () => {
  const check = { Test: ['CMD', 'true'], Interval: 5e9, Retries: 4 };
  const merged = mergeConfig(request({ Healthcheck: { Interval: 1e9 } }), { Healthcheck: check });
  assert.deepEqual(merged.Healthcheck?.Test, ['CMD', 'true']);
  assert.equal(merged.Healthcheck?.Interval, 1e9);
  assert.equal(merged.Healthcheck?.Retries, 4);
});

test("the environment in Docker's order; an entry without a value removes", () => {
  const env = environmentOf(request({ Env: ['B=2', 'HOSTNAME=other', 'PATH'], Tty: true }), 'h', '/root');
  assert.deepEqual(env, ['HOSTNAME=other', 'TERM=xterm', 'B=2', 'HOME=/root']);
  assert.deepEqual(replaceEnv(['A=1', 'B=2'], ['A=3', 'C=4', 'B']), ['A=3', 'C=4']);
});
