import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeProgress, FrameDemultiplexer, frame, JsonStreamDecoder, progressError, streamTypes } from './index.ts';

test('frames come apart whatever the chunks', () => {
  const bytes = Buffer.concat([
    frame(streamTypes.stdout, Buffer.from('hello')),
    frame(streamTypes.stderr, Buffer.alloc(0)),
    frame(streamTypes.stderr, Buffer.from('world')),
  ]);
  for (let size = 1; size <= bytes.length; size++) {
    const got: Record<number, string> = {};
    const demultiplexer = new FrameDemultiplexer((stream, payload) => {
      got[stream] = (got[stream] ?? '') + payload.toString();
    });
    for (let at = 0; at < bytes.length; at += size) demultiplexer.push(bytes.subarray(at, at + size));
    assert.deepEqual(got, { 1: 'hello', 2: 'world' });
    assert.ok(demultiplexer.atBoundary);
  }
});

test('an unknown stream is refused, and a huge length is not gathered', () => {
  const demultiplexer = new FrameDemultiplexer(() => {});
  assert.throws(() => demultiplexer.push(Buffer.from([9, 0, 0, 0, 0, 0, 0, 1])), { code: 'InvalidArgument' });
  const patient = new FrameDemultiplexer(() => {});
  patient.push(Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1]));
  assert.ok(!patient.atBoundary);
});

test('JSON streams come apart whatever the chunks', () => {
  const records = [{ status: 'a } " \\' }, progressError('no', 3), { aux: { ID: 'é' } }];
  const bytes = Buffer.from(records.map(encodeProgress).join(''));
  for (let size = 1; size <= bytes.length; size++) {
    const got: unknown[] = [];
    const decoder = new JsonStreamDecoder(value => got.push(value));
    for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size));
    assert.deepEqual(got, records);
    assert.ok(decoder.atBoundary);
  }
});
