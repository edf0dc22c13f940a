import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isInvalidArgument } from '../errdefs/index.ts';
import { decodeProgram, encodeProgram, nativeFile, type Op, type Program } from './index.ts';
import { type Field, layouts, MAX_DEPTH, opNames } from './layouts.ts';
import { opcodesHeader } from './opcodes.ts';

/** A small generator with a seed, so that a failure can be seen again (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Below = ReturnType<typeof random>;

function anyText(below: Below): string {
  return Array.from({ length: below(9) }, () => 'ab/=:é\n漢'[below(8)]).join('');
}

function anyBytes(below: Below): Uint8Array {
  return Uint8Array.from({ length: below(12) }, () => below(256));
}

function anyList<T>(below: Below, item: () => T): T[] {
  return Array.from({ length: below(4) }, item);
}

function anyValue(field: Field, below: Below, depth: number): unknown {
  if (field.optional && below(2)) return undefined;
  switch (field.kind) {
    case 'u32':
      return below(2 ** 31);
    case 'flag':
      return field.optional ? true : below(2) === 1;
    case 'choice':
      return field.choices![below(field.choices!.length)];
    case 'u64':
      return (BigInt(below(2 ** 31)) << 33n) | BigInt(below(2 ** 31));
    case 'number64':
      return below(2 ** 31) * 2 ** 20;
    case 'slot':
      return below(255);
    case 'string':
      return anyText(below) + (field.optional ? 'x' : '');
    case 'bytes':
      return anyBytes(below);
    case 'data':
      return below(2) ? anyText(below) : Uint8Array.of(0xff, below(256));
    case 'strings':
      return anyList(below, () => anyText(below));
    case 'u32s':
      return anyList(below, () => below(2 ** 31));
    case 'u64s':
      return anyList(below, () => below(2 ** 31) * 2 ** 20);
    case 'patches':
      return [{ offset: 4 * below(3) }];
    case 'program':
      return depth < 4 ? anyProgram(below, depth + 1) : [];
  }
}

function anyOp(below: Below, depth: number): Op {
  const name = opNames[below(opNames.length)]!;
  const op: Record<string, unknown> = { op: name };
  for (const field of layouts[name] as readonly Field[]) {
    const value = anyValue(field, below, depth);
    if (value !== undefined) op[field.name] = value;
  }
  if (name === 'netlink') op.messages = new Uint8Array(16);
  if (below(3) === 0) op.tolerate = ['ENOENT', 'EPERM'];
  return op as unknown as Op;
}

function anyProgram(below: Below, depth: number): Program {
  return Array.from({ length: below(8) }, () => anyOp(below, depth));
}

test('a decoded program is the one that was encoded', () => {
  for (let seed = 0; seed < 500; seed++) {
    const program = anyProgram(random(seed), 1);
    assert.deepEqual(decodeProgram(encodeProgram(program)), program, `seed ${seed}`);
  }
});

test('what people say about an op is not sent', () => {
  const op: Op = { op: 'setsid', why: 'a reason', failure: 'words' };
  assert.deepEqual(decodeProgram(encodeProgram([op])), [{ op: 'setsid' }]);
});

test('a value that does not fit is refused with its op and field', () => {
  const refuse = (op: unknown, message: RegExp): void => {
    assert.throws(
      () => encodeProgram([op as Op]),
      error => isInvalidArgument(error) && message.test((error as Error).message),
    );
  };
  refuse({ op: 'close', slot: 255 }, /op 0 \(close\): slot is not a slot: 255/);
  refuse({ op: 'chdir', path: 'a\0b' }, /path contains a NUL/);
  refuse({ op: 'chdir' }, /path is missing/);
  refuse({ op: 'umask', mask: 2 ** 32 }, /mask is not a 32-bit number/);
  refuse({ op: 'capBounding', keep: 1n << 64n }, /keep is not a 64-bit number/);
  refuse({ op: 'await', peer: 'sibling' }, /peer is none of child, parent, exec: sibling/);
  refuse({ op: 'netlink', protocol: 0, messages: new Uint8Array(4), pid: [{ offset: 1 }] }, /outside of the messages/);
  refuse({ op: 'sing' }, /unknown op/);
  let nested: Program = [];
  for (let i = 0; i < MAX_DEPTH; i++) nested = [{ op: 'clone', flags: 0, program: nested }];
  assert.throws(() => encodeProgram(nested), isInvalidArgument);
});

test('flags made with the bit operators may be negative', () => {
  const [op] = decodeProgram(
    encodeProgram([{ op: 'mount', source: '', target: '/', type: '', flags: 1 << 31, data: '' }]),
  );
  assert.equal(op?.op === 'mount' && op.flags, 0x80000000);
});

test('the C header is the one that the table makes', () => {
  const header = readFileSync(join(import.meta.dirname, '../../native/shim/opcodes.h'), 'utf8');
  assert.equal(header, opcodesHeader(), 'run: bin/node src/launcher/opcodes.ts > native/shim/opcodes.h');
});

function decodes(bytes: Uint8Array): boolean {
  try {
    decodeProgram(bytes);
    return true;
  } catch (error) {
    assert.ok(isInvalidArgument(error), `${error}`);
    return false;
  }
}

/** Asks the launcher, which only checks. */
function checks(bytes: Uint8Array): boolean {
  const file = join(tmpdir(), `berth-check-${process.pid}`);
  writeFileSync(file, bytes);
  const fd = openSync(file, 'r');
  try {
    const run = spawnSync(nativeFile('berth-shim'), ['check'], { stdio: ['ignore', 'inherit', 'inherit', fd] });
    assert.ok(run.status === 0 || run.status === 1, `check ended with ${run.status ?? run.signal}`);
    return run.status === 0;
  } finally {
    closeSync(fd);
    unlinkSync(file);
  }
}

/** Changes words and bytes, mostly to numbers that matter; sometimes cuts or repeats. */
function mutate(bytes: Uint8Array, below: Below): Uint8Array {
  const copy = Buffer.from(bytes);
  if (copy.length === 0) return copy;
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const word = 4 * below(copy.length >> 2);
    const value = [0, 1, 0xffffffff, 0xfffffffc, 0x7fffffff, copy.length, copy.readUInt32LE(word) + 4, below(256)][
      below(8)
    ]!;
    if (below(4) === 0) copy[below(copy.length)] = below(256);
    else copy.writeUInt32LE(value >>> 0, word);
  }
  if (below(8) === 0) return copy.subarray(0, below(copy.length));
  return below(16) === 0 ? Buffer.concat([copy, copy.subarray(0, 4 * below(8))]) : copy;
}

test('the launcher and the decoder refuse the same programs, and neither is harmed by any', { timeout: 120_000 }, t => {
  const rounds = Number(process.env.BERTH_FUZZ_ROUNDS ?? 500);
  let refused = 0;
  for (let seed = 0; seed < rounds; seed++) {
    const below = random(seed);
    const program = encodeProgram(anyProgram(below, 1));
    const bytes = seed % 10 === 0 ? program : mutate(program, below);
    if (bytes.length === 0) continue;
    const expected = decodes(bytes);
    assert.equal(checks(bytes), expected, `seed ${seed}`);
    if (!expected) refused++;
  }
  t.diagnostic(`${refused} of ${rounds} refused`);
});
