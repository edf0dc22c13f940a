import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { native } from '../launcher/index.ts';
import type { LogConfig } from './shim.ts';
import { attachClient, readAll, scriptProgram, TestShim } from './testing/processes.ts';

const testdata = join(import.meta.dirname, 'testdata');
const input = join(testdata, 'log-input.bin');

interface LocalEntry {
  readonly source: string;
  readonly line: Buffer;
  readonly piece: boolean;
}

async function logOf(script: string, options: Partial<LogConfig> = {}): Promise<TestShim> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-shim-log-'));
  const log = { type: 'json-file', path: join(directory, 'x.log'), ...options } as LogConfig;
  const shim = await TestShim.create(scriptProgram(script), { log });
  shim.cleanup.push(() => rmSync(directory, { recursive: true, force: true }));
  await shim.shim.start();
  await shim.exited();
  return shim;
}

const pathOf = (shim: TestShim): string => (shim.options.log as { path: string }).path;

test('json-file: escapes, invalid UTF-8, long lines and a last line without end are as Docker writes them', async () => {
  await using shim = await logOf(`cat ${input}; sleep 0.05`);
  const text = readFileSync(pathOf(shim), 'latin1').replace(/"time":"[^"]*"/g, '"time":"T"');
  // Recorded from Docker 28.5.
  assert.equal(text, readFileSync(join(testdata, 'json-file.jsonl'), 'latin1'));
});

test('json-file: the same however the output is cut into writes', async () => {
  await using shim = await logOf(`dd if=${input} bs=7 2>/dev/null; dd if=${input} bs=1000 2>/dev/null`);
  const text = readFileSync(pathOf(shim), 'latin1').replace(/"time":"[^"]*"/g, '"time":"T"');
  const once = readFileSync(join(testdata, 'json-file.jsonl'), 'latin1').trimEnd().split('\n');
  assert.deepEqual(
    text
      .trimEnd()
      .split('\n')
      .slice(0, once.length - 1),
    once.slice(0, -1),
  );
});

test('json-file: attributes are in every line', async () => {
  await using shim = await logOf('echo hi; echo ho', {
    type: 'json-file',
    attributes: { tag: 'x', b: '2', 'com.a': 'x<y', FOO: '"q"&' },
  });
  const text = readFileSync(pathOf(shim), 'utf8').replace(/"time":"[^"]*"/g, '"time":"T"');
  const line = (word: string) =>
    `{"log":"${word}\\n","stream":"stdout","attrs":{"FOO":"\\"q\\"\\u0026","b":"2","com.a":"x\\u003cy","tag":"x"},"time":"T"}\n`;
  assert.equal(text, line('hi') + line('ho'));
});

test('json-file: times are RFC 3339 in UTC and do not go back', async () => {
  await using shim = await logOf('for i in 1 2 3; do echo $i; sleep 0.01; done');
  const times = [...readFileSync(pathOf(shim), 'utf8').matchAll(/"time":"([^"]*)"/g)].map(match => match[1]!);
  assert.equal(times.length, 3);
  for (const time of times) {
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,8}[1-9])?Z$/);
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 10_000);
  }
  assert.deepEqual([...times].sort(), times);
});

test('rotation keeps so many files of such a size, with no line lost at the seams', async () => {
  await using shim = await logOf('seq 1 3000', { type: 'json-file', maxSizeBytes: 20_000, maxFiles: 20 });
  const path = pathOf(shim);
  const files = [path, ...Array.from({ length: 19 }, (_, i) => `${path}.${i + 1}`)].filter(existsSync);
  for (const file of files.slice(1)) {
    const { size } = statSync(file);
    assert.ok(size >= 20_000 && size < 20_200, `${file}: ${size}`);
  }
  const lines = files
    .reverse()
    .flatMap(file => readFileSync(file, 'utf8').trimEnd().split('\n'))
    .map(line => Number((JSON.parse(line) as { log: string }).log));
  assert.deepEqual(
    lines,
    Array.from({ length: 3000 }, (_, i) => i + 1),
  );
  assert.ok(shim.events.some(event => event.kind === 'rotated' && event.path === path));
});

test('rotation drops the oldest; one file only starts anew', async () => {
  await using three = await logOf('seq 1 3000', { type: 'json-file', maxSizeBytes: 20_000, maxFiles: 3 });
  assert.deepEqual(readdirSync(join(pathOf(three), '..')).sort(), ['x.log', 'x.log.1', 'x.log.2']);
  await using one = await logOf('seq 1 3000', { type: 'json-file', maxSizeBytes: 20_000, maxFiles: 1 });
  assert.deepEqual(readdirSync(join(pathOf(one), '..')), ['x.log']);
});

test('a compressed log takes the place of the file that it was made from, whatever that is called by then', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-shim-log-'));
  const path = join(directory, 'x.log');
  const script = 'seq 1 300; read line; seq 1 300; read line';
  await using shim = await TestShim.create(scriptProgram(script, { stdin: true }), {
    log: { type: 'json-file', path, maxSizeBytes: 15_000, maxFiles: 5 },
    io: { terminal: false, stdin: true, stdinOnce: false },
  });
  shim.cleanup.push(() => rmSync(directory, { recursive: true, force: true }));
  const client = await attachClient(shim, { stdin: true, stdout: false });
  await shim.shim.start();
  while (!existsSync(`${path}.1`)) await new Promise(resolve => setTimeout(resolve, 5));
  const content = readFileSync(`${path}.1`);
  const { ino } = statSync(`${path}.1`);
  writeFileSync(join(directory, 'temporary'), gzipSync(content));
  client.write('\n');
  while (!existsSync(`${path}.2`)) await new Promise(resolve => setTimeout(resolve, 5));
  await shim.shim.replaceRotatedLog(join(directory, 'temporary'), ino);
  assert.ok(existsSync(`${path}.2.gz`) || existsSync(`${path}.3.gz`));
  assert.ok(!existsSync(join(directory, 'temporary')));
  client.destroy();
});

test('local: length-prefixed records with source, time, line and pieces', async () => {
  await using shim = await logOf(`cat ${input}; echo error >&2`, { type: 'local' });
  const entries = readLocal(readFileSync(pathOf(shim)));
  const text = Buffer.concat(
    entries
      .filter(({ source }) => source === 'stdout')
      .flatMap(({ line, piece }) => (piece ? [line] : [line, Buffer.from('\n')])),
  );
  const expected = readFileSync(input);
  assert.ok(text.equals(expected));
  assert.deepEqual(
    entries.filter(({ source }) => source === 'stderr').map(({ line }) => String(line)),
    ['error'],
  );
});

/** A piece that is not the last has no line end after it. */
function readLocal(bytes: Buffer): LocalEntry[] {
  const entries: LocalEntry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readUInt32BE(at);
    assert.equal(bytes.readUInt32BE(at + 4 + size), size);
    const fields = protobuf(bytes.subarray(at + 4, at + 4 + size));
    const meta = fields.get(5);
    const last = meta instanceof Buffer && protobuf(meta).get(1) === 1;
    entries.push({
      source: String(fields.get(1)),
      line: (fields.get(3) as Buffer | undefined) ?? Buffer.alloc(0),
      piece: meta !== undefined && !last,
    });
    at += size + 8;
  }
  return entries;
}

function protobuf(bytes: Buffer): Map<number, Buffer | number> {
  const fields = new Map<number, Buffer | number>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    if ((tag & 7) === 0) fields.set(tag >> 3, varint());
    else {
      const size = varint();
      fields.set(tag >> 3, bytes.subarray(at, at + size));
      at += size;
    }
  }
  return fields;
}

test('a full disk loses log lines and nothing else, and the log keeps whole lines', {
  skip: process.geteuid?.() !== 0 && 'needs root',
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-shim-full-'));
  native().mount('tmpfs', directory, 'tmpfs', 0, 'size=256k');
  try {
    const path = join(directory, 'x.log');
    await using shim = await TestShim.create(scriptProgram('seq 1 50000'), { log: { type: 'json-file', path } });
    const client = await attachClient(shim);
    await shim.shim.start();
    const output = await readAll(client);
    assert.equal((await shim.exited()).code, 0);
    assert.equal(output.length, 288_894);
    const text = readFileSync(path, 'utf8');
    assert.ok(text.length <= 256 * 1024);
    for (const line of text.split('\n').slice(0, -1)) JSON.parse(line);
    assert.ok(text === '' || text.endsWith('\n'));
  } finally {
    native().umount2(directory, 2);
    rmSync(directory, { recursive: true });
  }
});
