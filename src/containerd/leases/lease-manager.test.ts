import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type Digest, mediaTypes } from '../../oci/index.ts';
import { LocalImageStore } from '../images/images.ts';
import { Database } from '../metadata/database.ts';
import { LeaseManager } from './lease-manager.ts';

let root: string;
let database: Database;
beforeEach(() => {
  root = mkdtempSync('/tmp/berth-leases-');
  database = new Database(join(root, 'meta.db'));
});
afterEach(() => {
  database.close();
  rmSync(root, { recursive: true });
});

test('a lease ends with its scope, and what it held with it', () => {
  const leases = new LeaseManager(database);
  {
    using lease = leases.create({ labels: { why: 'test' } });
    leases.addResource(lease.id, { type: 'content', id: 'sha256:a' });
    leases.addResource(lease.id, { type: 'content', id: 'sha256:a' });
    leases.addResource(lease.id, { type: 'snapshot', id: 'b' });
    leases.deleteResource(lease.id, { type: 'snapshot', id: 'b' });
    assert.deepEqual(
      leases.resources(lease.id).map(({ type, id }) => [type, id]),
      [['content', 'sha256:a']],
    );
    assert.equal(leases.list()[0]?.labels.why, 'test');
    assert.ok(lease.expiresAt > new Date(Date.now() + 23 * 3600 * 1000));
  }
  assert.deepEqual(leases.list(), []);
});

test('leases are named once, and asked for by name', () => {
  const leases = new LeaseManager(database);
  leases.create({ id: 'mine', expiresAt: new Date(Date.now() + 60_000) });
  leases.create({ id: 'passing' });
  assert.throws(() => leases.create({ id: 'mine' }), { code: 'AlreadyExists' });
  for (const ask of [
    () => leases.delete('none'),
    () => leases.resources('none'),
    () => leases.addResource('none', { type: 'content', id: 'x' }),
  ]) {
    assert.throws(ask, { code: 'NotFound' });
  }
  const again = new Database(join(root, 'meta.db'));
  assert.deepEqual(
    new LeaseManager(again).list().map(lease => lease.id),
    ['mine'],
    'the other ended with its process',
  );
  again.close();
});

test('a name points at one target; many names may point at the same', () => {
  const images = new LocalImageStore(database);
  const target = (hex: string) => ({
    mediaType: mediaTypes.ociManifest,
    digest: `sha256:${hex.repeat(64)}` as Digest,
    size: 1,
  });
  const made = images.create({ name: 'a', target: target('1'), labels: { x: 'y' } });
  assert.deepEqual([made.target.digest, made.labels], [target('1').digest, { x: 'y' }]);
  assert.throws(() => images.create({ name: 'a', target: target('2') }), { code: 'AlreadyExists' });
  assert.equal(images.put({ name: 'b', target: target('1') }), undefined);
  assert.equal(images.put({ name: 'a', target: target('2') })?.target.digest, target('1').digest);
  assert.deepEqual(
    images.list().map(image => image.name),
    ['a', 'b'],
  );
  assert.deepEqual(
    images.listByTarget(target('1').digest).map(image => image.name),
    ['b'],
  );
  assert.equal(images.get('a')?.createdAt.getTime(), made.createdAt.getTime());
  assert.equal(images.delete('a'), true);
  assert.equal(images.delete('a'), false);
  assert.equal(images.get('a'), undefined);
});
