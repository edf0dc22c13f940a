import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { XzDecoder } from './xz.ts';

const hasXz = spawnSync('xz', ['--version']).status === 0;
const skip = hasXz ? false : 'the machine has no xz to compress with';

function compress(bytes: Buffer, ...options: string[]): Buffer {
  const { status, stdout, stderr } = spawnSync('xz', ['-c', ...options], { input: bytes, maxBuffer: 1 << 28 });
  assert.equal(status, 0, stderr.toString());
  return stdout;
}

function decompress(bytes: Buffer, step = bytes.length): Buffer {
  const pieces: Buffer[] = [];
  const decoder = new XzDecoder(piece => pieces.push(piece));
  for (let at = 0; at < bytes.length; at += step) decoder.write(bytes.subarray(at, at + step));
  decoder.end();
  return Buffer.concat(pieces);
}

const text = Buffer.concat([
  readFileSync(process.execPath).subarray(0, 600_000),
  Buffer.alloc(50_000),
  randomBytes(100_000),
]);
const inputs: [string, Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['a byte', Buffer.from('x')],
  ['zeros', Buffer.alloc(300_000)],
  ['what cannot be compressed', randomBytes(200_000)],
  ['a program and more', text],
];
const optionSets = [
  ['-6'],
  ['-0'],
  ['-9e'],
  ['--check=none'],
  ['--check=sha256'],
  ['--block-size=100000'],
  ['--lzma2=lc=1,lp=3,pb=0'],
];

for (const [what, bytes] of inputs) {
  test(`decompresses ${what}, however it was compressed and is cut`, { skip }, () => {
    for (const options of what === 'a program and more' ? optionSets : optionSets.slice(0, 2)) {
      const packed = compress(bytes, ...options);
      for (const step of [packed.length, 1001]) {
        assert.ok(decompress(packed, step).equals(bytes), `${options} in steps of ${step}`);
      }
    }
  });
}

test('several streams with padding between are one', { skip }, () => {
  const [one, two] = [compress(Buffer.from('one ')), compress(Buffer.from('two'))];
  assert.equal(decompress(Buffer.concat([one, Buffer.alloc(8), two]), 7).toString(), 'one two');
});

test('damaged data is refused, never anything else', { skip }, () => {
  const good = compress(text.subarray(0, 20_000), '--block-size=8000');
  assert.throws(() => decompress(good.subarray(0, -30)), { code: 'InvalidArgument' });
  assert.throws(() => decompress(Buffer.from('not xz at all')), { code: 'InvalidArgument' });
  let seed = 7;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return seed % below;
  };
  for (let round = 0; round < 150; round++) {
    const bytes = Buffer.from(good);
    bytes[random(bytes.length)]! ^= 1 << random(8);
    try {
      decompress(bytes, 1 + random(5000));
    } catch (err) {
      const { code } = err as { code?: string };
      assert.ok(
        code !== undefined && ['InvalidArgument', 'NotImplemented', 'ResourceExhausted'].includes(code),
        String(err),
      );
    }
  }
});
