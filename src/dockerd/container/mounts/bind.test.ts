import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerConfigShape, hostConfigShape } from '../../../api/index.ts';
import { cleanPath, parseBind } from './bind.ts';
import { planMounts } from './register.ts';

test('binds, volumes, anonymous volumes and their modes', () => {
  const short = (text: string) => {
    const { hostPath, volume, target, readWrite, propagation, noCopy } = parseBind(text);
    return [hostPath, volume, target, readWrite, propagation, noCopy];
  };
  assert.deepEqual(short('/a/../b:/t/'), ['/b', '', '/t', true, 'rprivate', false]);
  assert.deepEqual(short('/a:/t:ro,rslave'), ['/a', '', '/t', false, 'rslave', false]);
  assert.deepEqual(short('vol:/t:nocopy'), ['', 'vol', '/t', true, '', true]);
  assert.deepEqual(short('/t'), ['', '', '/t', true, '', false]);
});

test('what is no bind is refused', () => {
  for (const text of [
    '',
    ':/t',
    '/a:',
    '/a:/t:rw,ro',
    '/a:/t:x',
    'a b:/t',
    '/a:t',
    '/a:/',
    'v:/t:rslave',
    '/a:/t:ro:z',
  ]) {
    assert.throws(() => parseBind(text), { code: 'InvalidArgument' }, text);
  }
});

test('one mount per target: image volumes give way, a target named twice is refused', () => {
  const config = { ...containerConfigShape.zero(), Volumes: { '/data': {}, '/more': {} } };
  const host = { ...hostConfigShape.zero(), Binds: ['/src:/data'] };
  const plan = planMounts(config, host, () => []);
  assert.deepEqual(
    plan.map(({ Type, Destination }) => [Type, Destination]),
    [
      ['bind', '/data'],
      ['volume', '/more'],
    ],
  );
  const twice = { ...host, Binds: ['/src:/data', '/x:/data/'] };
  assert.throws(() => planMounts(config, twice, () => []), { message: 'Duplicate mount point: /data' });
});

test('--volumes-from takes the mounts of another, read-only where asked', () => {
  const host = { ...hostConfigShape.zero(), VolumesFrom: ['other:ro'] };
  const [mount] = planMounts(containerConfigShape.zero(), host, name => {
    assert.equal(name, 'other');
    return [{ Type: 'volume', Name: 'v', Source: '/v', Destination: '/t', Mode: 'z', RW: true, Propagation: '' }];
  });
  assert.equal(mount?.RW, false);
  assert.equal(mount?.Name, 'v');
});

test('cleanPath is what Go does with absolute paths', () => {
  const cases = { '/': '/', '//a//b/': '/a/b', '/a/./b/../c': '/a/c', '/../..': '/' };
  for (const [text, clean] of Object.entries(cases)) assert.equal(cleanPath(text), clean);
});
