// What every content store does.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type Digest, digestOf } from '../../oci/index.ts';
import type { ContentStore } from './content-store.ts';

export interface ContentStoreUnderTest extends AsyncDisposable {
  readonly store: ContentStore;
  /** The same store after its process has died and a new one has opened it. */
  reopen(): Promise<ContentStore>;
}

const absent = digestOf('nothing') as Digest;

/** An ArrayBuffer of its own, as writers take it over. */
const own = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);

export function contentStoreContract(name: string, open: () => Promise<ContentStoreUnderTest>): void {
  describe(name, () => {
    let under: ContentStoreUnderTest;
    let store: ContentStore;
    const bytes = randomBytes(3_000_000);
    const expected = { digest: digestOf(bytes), size: bytes.length };

    beforeEach(async () => {
      under = await open();
      store = under.store;
    });
    afterEach(() => under[Symbol.asyncDispose]());

    const collect = async (digest: Digest, options?: { start?: number; end?: number }) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of store.read(digest, options)) pieces.push(piece);
      return Buffer.concat(pieces);
    };

    test('a written blob is visible from its commit on, whole', async () => {
      const writer = await store.writer({ ref: 'one', expected, labels: { a: '1' } });
      assert.equal(writer.offset, 0);
      await writer.write(own(bytes.subarray(0, 1_000_000)));
      assert.equal(writer.offset, 1_000_000);
      assert.equal(await store.info(expected.digest), undefined);
      await writer.write(own(bytes.subarray(1_000_000)));
      await writer.commit();
      const info = await store.info(expected.digest);
      assert.equal(info?.size, bytes.length);
      assert.deepEqual(info?.labels, { a: '1' });
      assert.ok(bytes.equals(await collect(expected.digest)));
      assert.ok(bytes.subarray(10, 999_999).equals(await collect(expected.digest, { start: 10, end: 999_999 })));
      assert.deepEqual(await store.listStatuses(), []);
      await assert.rejects(store.writer({ ref: 'two', expected }), { code: 'AlreadyExists' });
    });

    test('an interrupted ingest resumes where it stopped', async () => {
      const first = await store.writer({ ref: 'one', expected });
      await first.write(own(bytes.subarray(0, 1_234_567)));
      await first.close();
      assert.equal((await store.status('one'))?.offset, 1_234_567);
      const second = await store.writer({ ref: 'one', expected });
      assert.equal(second.offset, 1_234_567);
      await second.write(own(bytes.subarray(1_234_567)));
      await second.commit();
      assert.ok(bytes.equals(await collect(expected.digest)));
    });

    test('bytes that are not what was expected are refused and dropped', async () => {
      const cases: [string, Uint8Array][] = [
        ['other bytes', own(randomBytes(bytes.length))],
        ['too few', own(bytes.subarray(1))],
      ];
      for (const [why, wrong] of cases) {
        const writer = await store.writer({ ref: why, expected });
        await writer.write(wrong);
        await assert.rejects(writer.commit(), { code: 'DataLoss' }, why);
        assert.equal(await store.info(expected.digest), undefined);
        assert.equal(await store.status(why), undefined);
      }
      const writer = await store.writer({ ref: 'too many', expected });
      await assert.rejects(
        async () => {
          for (let i = 0; i < 3; i++) await writer.write(own(bytes));
          await writer.commit();
        },
        { code: 'DataLoss' },
      );
      await writer.close();
    });

    test('an ingest has one writer at a time, and cannot be dropped under it', async () => {
      const writer = await store.writer({ ref: 'one', expected });
      await assert.rejects(store.writer({ ref: 'one', expected }), { code: 'Unavailable' });
      await assert.rejects(store.abort('one'), { code: 'Unavailable' });
      await writer.close();
      await store.abort('one');
      assert.equal(await store.status('one'), undefined);
      await assert.rejects(store.abort('one'), { code: 'NotFound' });
    });

    test('small blobs are written at once, again and again', async () => {
      const { digest, size } = await store.writeBlob(Buffer.from('{}'), { labels: { a: '1' } });
      assert.deepEqual([digest, size], [digestOf('{}'), 2]);
      await store.writeBlob(Buffer.from('{}'), { labels: { b: '2' } });
      assert.deepEqual((await store.info(digest))?.labels, { a: '1', b: '2' });
      assert.equal(Buffer.from(await store.readBlob(digest)).toString(), '{}');
      await assert.rejects(store.readBlob(digest, 1), { code: 'ResourceExhausted' });
      assert.deepEqual(
        (await store.list()).map(info => info.digest),
        [digest],
      );
    });

    test('labels are added, replaced, and removed by an empty value', async () => {
      const { digest } = await store.writeBlob(Buffer.from('x'), { labels: { a: '1', b: '2' } });
      await store.label(digest, { a: '', b: '3', c: '4' });
      assert.deepEqual((await store.info(digest))?.labels, { b: '3', c: '4' });
      await assert.rejects(store.label(absent, { a: '1' }), { code: 'NotFound' });
    });

    test('what is not there is NotFound', async () => {
      assert.equal(await store.info(absent), undefined);
      await assert.rejects(store.readBlob(absent), { code: 'NotFound' });
      await assert.rejects(store.readerAt(absent), { code: 'NotFound' });
      await assert.rejects(collect(absent), { code: 'NotFound' });
      await assert.rejects(store.delete(absent), { code: 'NotFound' });
    });

    test('a deleted blob is gone and may come again', async () => {
      const { digest } = await store.writeBlob(Buffer.from('x'));
      await store.delete(digest);
      assert.equal(await store.info(digest), undefined);
      await store.writeBlob(Buffer.from('x'));
      assert.equal(Buffer.from(await store.readBlob(digest)).toString(), 'x');
    });

    test('a reader reads anywhere, and nothing past the end', async () => {
      const { digest } = await store.writeBlob(Buffer.from('0123456789'));
      const reader = await store.readerAt(digest);
      const into = Buffer.alloc(4);
      assert.equal(reader.size, 10);
      assert.equal(await reader.readAt(into, 3), 4);
      assert.equal(into.toString(), '3456');
      assert.equal(await reader.readAt(into, 8), 2);
      assert.equal(await reader.readAt(into, 10), 0);
      await reader.close();
    });

    test('blobs and ingests survive the process', async () => {
      const { digest } = await store.writeBlob(Buffer.from('kept'), { labels: { a: '1' } });
      const writer = await store.writer({ ref: 'half', expected });
      await writer.write(own(bytes.subarray(0, 500_000)));
      await writer.close();
      store = await under.reopen();
      assert.equal((await store.info(digest))?.labels.a, '1');
      const again = await store.writer({ ref: 'half', expected });
      assert.equal(again.offset, 500_000);
      await again.close();
    });
  });
}
