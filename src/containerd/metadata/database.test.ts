import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, test } from 'node:test';
import { Database } from './database.ts';

let root: string;
let database: Database;
beforeEach(() => {
  root = mkdtempSync('/tmp/berth-metadata-');
  database = new Database(join(root, 'meta.db'));
});
afterEach(() => {
  database.close();
  rmSync(root, { recursive: true });
});

test('a collection keeps records by key, apart from those of other collections', () => {
  const networks = database.collection<{ subnet: string }>('networks');
  const volumes = database.collection<string>('volumes');
  networks.put('b', { subnet: '10.0.0.0/8' });
  networks.put('a', { subnet: '172.17.0.0/16' });
  networks.put('a', { subnet: '172.18.0.0/16' });
  volumes.put('a', 'data');
  assert.deepEqual(networks.get('a'), { subnet: '172.18.0.0/16' });
  assert.deepEqual(
    networks.list().map(record => record.key),
    ['a', 'b'],
  );
  assert.equal(networks.delete('a'), true);
  assert.equal(networks.delete('a'), false);
  assert.equal(networks.get('a'), undefined);
  assert.equal(volumes.get('a'), 'data');
});

test('records are there after the process has gone without closing', () => {
  database.collection<number>('n').put('one', 1);
  const again = new Database(join(root, 'meta.db'));
  assert.equal(again.collection<number>('n').get('one'), 1);
  again.close();
});

test('a transaction that throws leaves nothing, a nested one only undoes itself', () => {
  const n = database.collection<number>('n');
  assert.throws(
    () =>
      database.transaction(() => {
        n.put('a', 1);
        throw new Error('no');
      }),
    /no/,
  );
  assert.equal(n.get('a'), undefined);
  database.transaction(() => {
    n.put('a', 1);
    assert.throws(() =>
      database.transaction(() => {
        n.put('b', 2);
        throw new Error('inner');
      }),
    );
    n.put('c', 3);
  });
  assert.deepEqual(
    n.list().map(record => record.key),
    ['a', 'c'],
  );
});

test('a database of a newer version is refused, not damaged', () => {
  database.close();
  const raw = new DatabaseSync(join(root, 'meta.db'));
  raw.exec('PRAGMA user_version = 99');
  raw.close();
  assert.throws(() => new Database(join(root, 'meta.db')), { code: 'FailedPrecondition', message: /newer version/ });
});

test('a put costs less than a tenth of a millisecond', () => {
  const n = database.collection<{ text: string }>('n');
  const times = Array.from({ length: 1000 }, (_, i) => {
    const start = performance.now();
    n.put(`k${i}`, { text: 'x'.repeat(2000) });
    return performance.now() - start;
  }).sort((a, b) => a - b);
  assert.ok(times[500]! < 0.1, `median ${times[500]} ms`);
});
