import { InvalidArgument } from '../errdefs/index.ts';
import { errnoNumber } from './errno.ts';
import {
  ABSENT,
  codes,
  type Field,
  layouts,
  MAGIC,
  MAX_BYTES,
  MAX_DEPTH,
  patchesFit,
  SLOTS,
  version,
} from './layouts.ts';
import type { Op, PidPatch, Program } from './op.ts';

/** Compiles a program to the bytes that the launcher runs. Throws InvalidArgument where a value does not fit its place. */
export function encodeProgram(program: Program): Uint8Array {
  const writer = new Writer();
  writer.u32(MAGIC);
  writer.u32(version);
  writeList(writer, program, 1);
  if (writer.length > MAX_BYTES)
    throw new InvalidArgument(`program of ${writer.length} bytes is too large, the limit is ${MAX_BYTES}`);
  return writer.bytes();
}

function writeList(writer: Writer, program: Program, depth: number): void {
  if (depth > MAX_DEPTH) throw new InvalidArgument(`program is nested deeper than ${MAX_DEPTH}`);
  const start = writer.length;
  writer.u32(0);
  writer.u32(program.length);
  program.forEach((op, index) => {
    try {
      writeOp(writer, op, depth);
    } catch (error) {
      if (error instanceof Misfit) throw new InvalidArgument(`op ${index} (${op.op}): ${error.message}`);
      throw error;
    }
  });
  writer.patch(start, writer.length - start);
}

/** A value that its field cannot hold. */
class Misfit extends Error {}

function writeOp(writer: Writer, op: Op, depth: number): void {
  const start = writer.length;
  const layout: readonly Field[] | undefined = layouts[op.op];
  if (!layout) throw new Misfit('unknown op');
  if (!patchesFit(op)) throw new Misfit('a pid is to be put outside of the messages');
  const tolerate = op.tolerate ?? [];
  writer.u32(codes.get(op.op)! | (tolerate.length << 16));
  writer.u32(0);
  for (const name of tolerate) writer.u32(errnoNumber(name));
  const values = op as unknown as Record<string, unknown>;
  for (const field of layout) writeField(writer, field, values[field.name], depth);
  writer.patch(start + 4, writer.length - start);
}

function writeField(writer: Writer, field: Field, value: unknown, depth: number): void {
  if (value === undefined && !field.optional) throw new Misfit(`${field.name} is missing`);
  switch (field.kind) {
    case 'u32':
      writer.u32(value === undefined ? ABSENT : u32Of(field, value));
      break;
    case 'flag':
      writer.u32(value ? 1 : 0);
      break;
    case 'choice':
      writer.u32(value === undefined ? ABSENT : choiceOf(field, value));
      break;
    case 'slot':
      writer.u32(value === undefined ? ABSENT : slotOf(field, value));
      break;
    case 'u64':
    case 'number64':
      writer.u64(u64Of(field, value));
      break;
    case 'string':
      writer.string(stringOf(field, value ?? ''));
      break;
    case 'bytes':
      writer.blob(value as Uint8Array);
      break;
    case 'data':
      writer.blob(typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array));
      break;
    case 'strings':
      writer.list(value as readonly string[], item => writer.string(stringOf(field, item)));
      break;
    case 'u32s':
      writer.list(value as readonly number[], item => writer.u32(u32Of(field, item)));
      break;
    case 'u64s':
      writer.list(value as readonly number[], item => writer.u64(u64Of(field, item)));
      break;
    case 'patches':
      writer.list((value ?? []) as readonly PidPatch[], item => writer.u32(u32Of(field, item.offset)));
      break;
    case 'program':
      writeList(writer, value as Program, depth + 1);
      break;
  }
}

function u32Of(field: Field, value: unknown): number {
  // Flag words made with JavaScript's bit operators may be negative.
  if (typeof value !== 'number' || !Number.isInteger(value) || value < -0x80000000 || value > 0xffffffff)
    throw new Misfit(`${field.name} is not a 32-bit number: ${value}`);
  return value >>> 0;
}

function u64Of(field: Field, value: unknown): bigint {
  const integral = typeof value === 'bigint' || Number.isSafeInteger(value);
  const wide = integral ? BigInt(value as number | bigint) : -1n;
  if (!integral || wide < -(1n << 63n) || wide >= 1n << 64n)
    throw new Misfit(`${field.name} is not a 64-bit number: ${value}`);
  return BigInt.asUintN(64, wide);
}

function slotOf(field: Field, value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) >= SLOTS)
    throw new Misfit(`${field.name} is not a slot: ${value}`);
  return value as number;
}

function choiceOf(field: Field, value: unknown): number {
  const index = field.choices!.indexOf(value as string);
  if (index < 0) throw new Misfit(`${field.name} is none of ${field.choices!.join(', ')}: ${value}`);
  return index;
}

function stringOf(field: Field, value: unknown): string {
  if (typeof value !== 'string') throw new Misfit(`${field.name} is not a string: ${value}`);
  if (value.includes('\0')) throw new Misfit(`${field.name} contains a NUL: ${JSON.stringify(value)}`);
  return value;
}

class Writer {
  #bytes = Buffer.alloc(8192);
  length = 0;

  #room(size: number): number {
    const at = this.length;
    this.length = at + ((size + 3) & ~3);
    if (this.length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(this.#bytes.length * 2, this.length));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    return at;
  }

  u32(value: number): void {
    const at = this.#room(4);
    this.#bytes.writeUInt32LE(value, at);
  }

  u64(value: bigint): void {
    const at = this.#room(8);
    this.#bytes.writeBigUInt64LE(value, at);
  }

  string(value: string): void {
    const size = Buffer.byteLength(value);
    this.u32(size);
    const at = this.#room(size + 1); // the NUL and the padding are zeros already
    this.#bytes.write(value, at);
  }

  blob(value: Uint8Array): void {
    this.u32(value.length);
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
  }

  list<T>(values: readonly T[], write: (value: T) => void): void {
    this.u32(values.length);
    for (const value of values) write(value);
  }

  patch(at: number, value: number): void {
    this.#bytes.writeUInt32LE(value, at);
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}
