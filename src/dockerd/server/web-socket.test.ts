import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFrame, FrameReader } from './web-socket.ts';

/** A frame as a client sends it. */
function masked(opcode: number, payload: Buffer): Buffer {
  const frame = encodeFrame(opcode, payload);
  const at = frame.length - payload.length;
  const mask = Buffer.from([1, 2, 3, 4]);
  const body = Buffer.from(payload.map((byte, i) => byte ^ mask[i & 3]!));
  frame[1] = frame[1]! | 128;
  return Buffer.concat([frame.subarray(0, at), mask, body]);
}

test('frames come apart however they are cut', () => {
  const input = Buffer.concat([
    masked(2, Buffer.from('hello ')),
    masked(9, Buffer.from('?')),
    masked(0, Buffer.alloc(300, 'x')),
    masked(8, Buffer.alloc(0)),
  ]);
  for (let cut = 0; cut < input.length; cut++) {
    const got = { data: '', pings: '', closed: 0 };
    const reader = new FrameReader({
      data: bytes => {
        got.data += bytes.toString();
      },
      ping: bytes => {
        got.pings += bytes.toString();
      },
      close: () => {
        got.closed++;
      },
    });
    reader.push(input.subarray(0, cut));
    reader.push(input.subarray(cut));
    assert.deepEqual(got, { data: `hello ${'x'.repeat(300)}`, pings: '?', closed: 1 });
  }
});

test('what no client may send is refused', () => {
  const reader = () => new FrameReader({ data: () => {}, ping: () => {}, close: () => {} });
  assert.throws(() => reader().push(encodeFrame(2, Buffer.from('unmasked'))), { code: 'InvalidArgument' });
  assert.throws(() => reader().push(masked(9, Buffer.alloc(200))), { code: 'InvalidArgument' });
  assert.throws(() => reader().push(masked(3, Buffer.from('x'))), { code: 'InvalidArgument' });
});
