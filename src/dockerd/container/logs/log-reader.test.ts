import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readLog } from './log-reader.ts';

const line = (log: string) => `${JSON.stringify({ log, stream: 'stdout', time: '2026-11-24T14:22:10.969863964Z' })}\n`;
const options = { stdout: true, stderr: true, timestamps: false, details: false, framed: false };

function folder() {
  const directory = mkdtempSync(path.join(tmpdir(), 'berth-log-'));
  return { file: path.join(directory, 'x-json.log'), [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

async function read(file: string, tail?: number): Promise<string> {
  let text = '';
  await readLog(file, { ...options, ...(tail !== undefined && { tail }) }, bytes => {
    text += bytes.toString();
  });
  return text;
}

test('tail counts lines from the end, over rotated and compressed files', async () => {
  using log = folder();
  writeFileSync(`${log.file}.2.gz`, gzipSync(line('1\n') + line('2\n')));
  writeFileSync(`${log.file}.1`, line('3\n') + line('4\n'));
  writeFileSync(log.file, line('5\n') + line('6\n'));
  assert.equal(await read(log.file), '1\n2\n3\n4\n5\n6\n');
  const expected = [
    '',
    '6\n',
    '5\n6\n',
    '4\n5\n6\n',
    '3\n4\n5\n6\n',
    '2\n3\n4\n5\n6\n',
    '1\n2\n3\n4\n5\n6\n',
    '1\n2\n3\n4\n5\n6\n',
  ];
  for (const [tail, text] of expected.entries()) assert.equal(await read(log.file, tail), text, `tail ${tail}`);
});

test('tail finds its place in a file larger than a piece', async () => {
  using log = folder();
  const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`);
  writeFileSync(log.file, lines.map(line).join(''));
  assert.equal(await read(log.file, 12_345), lines.slice(-12_345).join(''));
});

test('follow goes on over a rotation, and ends when the container has, with all that was written', async () => {
  using log = folder();
  writeFileSync(log.file, line('1\n'));
  let text = '';
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const done = readLog(
    log.file,
    options,
    bytes => {
      text += bytes.toString();
    },
    { ended, signal: new AbortController().signal },
  );
  const until = async (wanted: string) => {
    for (let i = 0; i < 200 && text !== wanted; i++) await new Promise(resolve => setTimeout(resolve, 5));
    assert.equal(text, wanted);
  };
  await until('1\n');
  appendFileSync(log.file, line('2\n'));
  await until('1\n2\n');
  appendFileSync(log.file, line('3\n'));
  renameSync(log.file, `${log.file}.1`);
  writeFileSync(log.file, line('4\n'));
  await until('1\n2\n3\n4\n');
  appendFileSync(log.file, line('5\n'));
  end();
  await done;
  assert.equal(text, '1\n2\n3\n4\n5\n');
});
