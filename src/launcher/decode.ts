import { InvalidArgument } from '../errdefs/index.ts';
import { errnoName } from './errno.ts';
import {
  ABSENT,
  type Field,
  layouts,
  MAGIC,
  MAX_BYTES,
  MAX_DEPTH,
  opNames,
  patchesFit,
  SLOTS,
  version,
} from './layouts.ts';
import type { Op, Program } from './op.ts';

/** Reads a program back from its bytes; what is not sent to the launcher (`why`, `failure`) is lost. Throws InvalidArgument on anything malformed. */
export function decodeProgram(bytes: Uint8Array): Program {
  if (bytes.length > MAX_BYTES) throw new InvalidArgument(`program of ${bytes.length} bytes is too large`);
  const reader = new Reader(bytes, 0, bytes.length);
  if (reader.u32() !== MAGIC) throw new InvalidArgument('not a program');
  if (reader.u32() !== version) throw new InvalidArgument('program is of another version');
  const program = readList(reader, 1);
  reader.end();
  return program;
}

function readList(outer: Reader, depth: number): Op[] {
  if (depth > MAX_DEPTH) throw new InvalidArgument(`program is nested deeper than ${MAX_DEPTH}`);
  const reader = outer.part(outer.peek());
  reader.u32();
  const count = reader.u32();
  const ops: Op[] = [];
  for (let i = 0; i < count; i++) ops.push(readOp(reader, depth));
  reader.end();
  return ops;
}

function readOp(list: Reader, depth: number): Op {
  const reader = list.part(list.peek(4));
  const head = reader.u32();
  reader.u32();
  const name = opNames[head & 0xffff];
  if (!name) throw new InvalidArgument(`unknown op code ${head & 0xffff}`);
  const tolerate: string[] = [];
  for (let i = head >>> 16; i > 0; i--) tolerate.push(errnoName(reader.u32()));
  const op: Record<string, unknown> = { op: name };
  for (const field of layouts[name] as readonly Field[]) {
    const value = readField(reader, field, depth);
    if (value !== undefined) op[field.name] = value;
  }
  if (!patchesFit(op as unknown as Op)) throw new InvalidArgument('a pid is to be put outside of the messages');
  if (tolerate.length > 0) op.tolerate = tolerate;
  reader.end();
  return op as unknown as Op;
}

function readField(reader: Reader, field: Field, depth: number): unknown {
  switch (field.kind) {
    case 'u32':
      return present(field, reader.u32());
    case 'flag': {
      const flag = reader.u32();
      if (flag > 1) throw new InvalidArgument(`${field.name} is not a flag: ${flag}`);
      return flag === 1 || (field.optional ? undefined : false);
    }
    case 'choice': {
      const index = present(field, reader.u32());
      if (index !== undefined && index >= field.choices!.length)
        throw new InvalidArgument(`${field.name} has no choice ${index}`);
      return index === undefined ? undefined : field.choices![index];
    }
    case 'slot': {
      const slot = present(field, reader.u32());
      if (slot !== undefined && slot >= SLOTS) throw new InvalidArgument(`${field.name} is not a slot: ${slot}`);
      return slot;
    }
    case 'u64':
      return reader.u64();
    case 'number64':
      return Number(reader.u64());
    case 'string':
      return reader.string() || (field.optional ? undefined : '');
    case 'bytes':
      return reader.blob();
    case 'data':
      return textOrBytes(reader.blob());
    case 'strings':
      return reader.list(() => reader.string());
    case 'u32s':
      return reader.list(() => reader.u32());
    case 'u64s':
      return reader.list(() => Number(reader.u64()));
    case 'patches': {
      const patches = reader.list(() => ({ offset: reader.u32() }));
      return patches.length > 0 ? patches : undefined;
    }
    case 'program':
      return readList(reader, depth + 1);
  }
}

function present(field: Field, value: number): number | undefined {
  return field.optional && value === ABSENT ? undefined : value;
}

function textOrBytes(blob: Uint8Array): string | Uint8Array {
  const text = Buffer.from(blob).toString();
  return Buffer.from(text).equals(blob) ? text : blob;
}

/** A cursor that cannot leave its part of the bytes. */
class Reader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#end = end;
  }

  #take(size: number): number {
    const at = this.#at;
    const padded = (size + 3) & ~3;
    if (padded < size || padded > this.#end - at) throw new InvalidArgument('program ends too early');
    this.#at = at + padded;
    return at;
  }

  /** The next u32, or the one `offset` bytes further, without moving on. */
  peek(offset = 0): number {
    if (this.#end - this.#at < offset + 4) throw new InvalidArgument('program ends too early');
    return this.#view.getUint32(this.#at + offset, true);
  }

  part(size: number): Reader {
    if (size % 4 !== 0) throw new InvalidArgument('program is not aligned');
    const at = this.#take(size);
    return new Reader(this.#bytes, at, at + size);
  }

  end(): void {
    if (this.#at !== this.#end) throw new InvalidArgument('program has bytes that nothing asks for');
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  blob(): Uint8Array {
    const size = this.u32();
    const at = this.#take(size);
    return new Uint8Array(this.#bytes.subarray(at, at + size));
  }

  string(): string {
    const size = this.u32();
    const at = this.#take(size + 1);
    const text = this.#bytes.subarray(at, at + size);
    if (this.#bytes[at + size] !== 0 || text.includes(0)) throw new InvalidArgument('string is not terminated');
    return Buffer.from(text).toString();
  }

  list<T>(read: () => T): T[] {
    const values: T[] = [];
    for (let count = this.u32(); count > 0; count--) values.push(read());
    return values;
  }
}
