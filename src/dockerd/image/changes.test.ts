import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyChanges } from './changes.ts';
import { parseUntil } from './until.ts';

test('changes of commit and import', () => {
  const config = applyChanges({ Env: ['A=1'], WorkingDir: '/srv', Labels: { a: '1' } }, [
    'CMD ls',
    'ENTRYPOINT ["a", "b"]',
    'ENV A=2 B="x y"\nUSER me',
    'EXPOSE 80 8000-8001/udp',
    'LABEL b=2',
    'VOLUME /data',
    'WORKDIR app',
    'STOPSIGNAL SIGQUIT',
    'ONBUILD RUN x',
    'HEALTHCHECK NONE',
  ]);
  assert.deepEqual(config, {
    Env: ['A=2', 'B=x y'],
    WorkingDir: '/srv/app',
    Labels: { a: '1', b: '2' },
    Cmd: ['/bin/sh', '-c', 'ls'],
    Entrypoint: ['a', 'b'],
    User: 'me',
    ExposedPorts: { '80/tcp': {}, '8000/udp': {}, '8001/udp': {} },
    Volumes: { '/data': {} },
    StopSignal: 'SIGQUIT',
    OnBuild: ['RUN x'],
    Healthcheck: { Test: ['NONE'] },
  });
});

for (const [change, message] of [
  ['FROM x', 'FROM is not a valid change command'],
  ['RUN x', 'RUN is not a valid change command'],
  ['nosuch x', 'nosuch is not a valid change command'],
  ['EXPOSE abc', 'Invalid containerPort: abc'],
] as const) {
  test(`"${change}" is refused`, () => {
    assert.throws(() => applyChanges({}, [change]), { code: 'InvalidArgument', message });
  });
}

test('until is a Unix time, a duration before now, or a date', () => {
  const now = new Date('2026-01-02T00:00:00Z');
  assert.equal(parseUntil('1700000000').toISOString(), '2023-11-14T22:13:20.000Z');
  assert.equal(parseUntil('1h30m', now).toISOString(), '2026-01-01T22:30:00.000Z');
  assert.equal(parseUntil('2020-01-01T00:00:00Z').toISOString(), '2020-01-01T00:00:00.000Z');
  for (const text of ['x', '1y', '', '2020-13-45']) assert.throws(() => parseUntil(text), { code: 'InvalidArgument' });
});
