import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bool, bytes, decode, encode, int, map, message, nested, repeated, string } from './wire.ts';

const Inner = message('Inner', { text: string(1), number: int(2) });
const Outer = message('Outer', {
  name: string(1),
  count: int(2),
  yes: bool(3),
  data: bytes(4),
  inner: nested(5, () => Inner),
  inners: repeated(nested(6, () => Inner)),
  labels: map(7, string),
  numbers: repeated(int(8)),
  words: repeated(string(300)),
});

test('what is encoded decodes to the same, defaults included', () => {
  const value = {
    name: 'näme',
    count: 2 ** 40 + 7,
    yes: true,
    data: Buffer.from([0, 1, 255]),
    inner: { text: 'x', number: -5 },
    inners: [
      { text: 'a', number: 1 },
      { text: '', number: 0 },
    ],
    labels: { k: 'v', __proto__x: '' },
    numbers: [0, 300, 7],
    words: ['', 'b'],
  };
  assert.deepEqual(decode(Outer, encode(Outer, value)), value);
  const empty = decode(Outer, new Uint8Array());
  assert.deepEqual([empty.name, empty.count, empty.inner, empty.labels, empty.words], ['', 0, undefined, {}, []]);
});

test('bytes are those of the specification', () => {
  // protobuf.dev encoding: field 2 varint 150, field 1 string "testing"
  assert.equal(encode(Inner, { number: 150 }).toString('hex'), '109601');
  assert.equal(encode(Inner, { text: 'testing' }).toString('hex'), '0a0774657374696e67');
  assert.equal(encode(Inner, { number: -1 }).toString('hex'), '10ffffffffffffffffff01');
});

test('unknown fields are skipped, packed numbers are read', () => {
  assert.deepEqual(decode(Outer, Buffer.from('420300ac02', 'hex')).numbers, [0, 300]);
  assert.equal(decode(Inner, Buffer.from('520161' + '5d00000000' + '1005', 'hex')).number, 5);
});

test('damaged messages are refused, whatever they are', () => {
  for (const hex of ['0a', '0aff01', '10', '10ffffffffffffffffffff', '0b', '5d00']) {
    assert.throws(() => decode(Inner, Buffer.from(hex, 'hex')), { code: 'InvalidArgument' }, hex);
  }
  const bomb = Buffer.concat(Array.from({ length: 5000 }, () => Buffer.from([0x2a])));
  assert.throws(() => decode(Outer, bomb));
});
