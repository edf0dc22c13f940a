import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { LocalDecoder } from './local-decoder.ts';
import { type ReadLogOptions, readLog } from './log-reader.ts';

// Written by Docker 28.5 with --log-driver local, from src/shim/testdata/log-input.bin.
const recorded = readFileSync(path.join(import.meta.dirname, 'testdata/docker-local.bin'));
const input = readFileSync(path.join(import.meta.dirname, '../../../shim/testdata/log-input.bin'));
const options = {
  stdout: true,
  stderr: true,
  timestamps: false,
  details: false,
  framed: false,
  format: 'local',
} as const;

function varint(value: bigint): number[] {
  return value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)];
}

function record(text: string, stream = 'stdout', time = 1_795_530_000_123_456_789n): Buffer {
  const line = Buffer.from(text);
  const body = Buffer.from([
    0x0a,
    6,
    ...Buffer.from(stream),
    0x10,
    ...varint(time),
    0x1a,
    ...varint(BigInt(line.length)),
    ...line,
  ]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(body.length);
  return Buffer.concat([size, body, size]);
}

async function read(file: string, more: Partial<ReadLogOptions> = {}): Promise<string> {
  let text = '';
  await readLog(file, { ...options, ...more }, bytes => {
    text += bytes.toString('latin1');
  });
  return text;
}

function folder() {
  const directory = mkdtempSync(path.join(tmpdir(), 'berth-log-'));
  return { file: path.join(directory, 'x.log'), [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

test("Docker's own local log is read, long lines put together again", () => {
  const decoder = new LocalDecoder(options);
  assert.ok(decoder.push(recorded).equals(input));
});

test('the same however it is cut', () => {
  for (const size of [1, 7, 100, 5000]) {
    const decoder = new LocalDecoder(options);
    const pieces: Buffer[] = [];
    for (let at = 0; at < recorded.length; at += size) pieces.push(decoder.push(recorded.subarray(at, at + size)));
    assert.ok(Buffer.concat(pieces).equals(input));
  }
});

test('streams, time stamps, frames, since and until', async () => {
  using log = folder();
  writeFileSync(
    log.file,
    Buffer.concat([
      record('out'),
      record('err', 'stderr', 1_795_530_001_000_000_000n),
      record('late', 'stdout', 1_795_530_002_000_000_000n),
    ]),
  );
  assert.equal(await read(log.file), 'out\nerr\nlate\n');
  assert.equal(await read(log.file, { stdout: false }), 'err\n');
  assert.equal(
    await read(log.file, { stderr: false, timestamps: true }),
    '2026-11-24T14:20:00.123456789Z out\n2026-11-24T14:20:02Z late\n',
  );
  assert.equal(await read(log.file, { stdout: false, framed: true }), '\x02\0\0\0\0\0\0\x04err\n');
  assert.equal(await read(log.file, { since: '2026-11-24T14:20:01Z' }), 'err\nlate\n');
  assert.equal(await read(log.file, { until: '2026-11-24T14:20:01Z' }), 'out\nerr\n');
});

test('tail counts records from the end, over rotated and compressed files and over pieces', async () => {
  using log = folder();
  writeFileSync(`${log.file}.2.gz`, gzipSync(Buffer.concat([record('1'), record('2')])));
  writeFileSync(`${log.file}.1`, Buffer.concat([record('3'), record('4')]));
  writeFileSync(log.file, Buffer.concat([record('5'), record('6')]));
  for (let tail = 0; tail < 8; tail++) {
    const expected = ['1', '2', '3', '4', '5', '6'].slice(Math.max(0, 6 - tail)).map(line => `${line}\n`);
    assert.equal(await read(log.file, { tail }), expected.join(''), `tail ${tail}`);
  }
  const many = Array.from({ length: 20_000 }, (_, i) => `line ${i} ${'x'.repeat(i % 100)}`);
  using large = folder();
  writeFileSync(large.file, Buffer.concat(many.map(line => record(line))));
  assert.equal(
    await read(large.file, { tail: 12_345 }),
    many
      .slice(-12_345)
      .map(line => `${line}\n`)
      .join(''),
  );
});
