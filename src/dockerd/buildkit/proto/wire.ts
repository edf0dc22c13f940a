// Protocol Buffers, the wire format (protobuf.dev/programming-guides/encoding), as far as BuildKit's API uses it. A message is
// described by data; unknown fields are skipped, every length is checked.

import { InvalidArgument } from '../../../errdefs/index.ts';

/** How one field is written. `T` is what it is in TypeScript. */
export interface Field<T> {
  readonly id: number;
  readonly kind: 'string' | 'bytes' | 'bool' | 'int' | 'message' | 'map';
  readonly repeated?: boolean;
  readonly message?: () => Message<Fields>;
  /** Of a map: its values. */
  readonly value?: Field<unknown>;
  /** Carries the type, never set. */
  readonly __type?: T;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;
type Value<F> = F extends Field<infer T> ? T : never;

/** A message as TypeScript sees it: every field there, with its default where the wire has none; messages may be undefined. */
export type MessageOf<M> = M extends Message<infer F> ? { readonly [K in keyof F]: Value<F[K]> } : never;

export interface Message<F extends Fields> {
  readonly name: string;
  readonly fields: F;
}

export const message = <F extends Fields>(name: string, fields: F): Message<F> => ({ name, fields });

export const string = (id: number): Field<string> => ({ id, kind: 'string' });
export const bytes = (id: number): Field<Uint8Array> => ({ id, kind: 'bytes' });
export const bool = (id: number): Field<boolean> => ({ id, kind: 'bool' });
/** int32, int64, uint32, uint64 and enums: a number, exact to 2^53. */
export const int = (id: number): Field<number> => ({ id, kind: 'int' });
export const nested = <F extends Fields>(
  id: number,
  of: () => Message<F>,
): Field<MessageOf<Message<F>> | undefined> => ({
  id,
  kind: 'message',
  message: of as unknown as () => Message<Fields>,
});
export const repeated = <T>(field: Field<T>): Field<readonly NonNullable<T>[]> =>
  ({ ...field, repeated: true }) as unknown as Field<readonly NonNullable<T>[]>;
/** A map with string keys. */
export const map = <T>(
  id: number,
  value: (id: number) => Field<T>,
): Field<Readonly<Record<string, NonNullable<T>>>> => ({
  id,
  kind: 'map',
  value: value(2) as Field<unknown>,
});

/** What may be left out when encoding. */
export type Partially<T> = {
  readonly [K in keyof T]?: T[K] extends readonly (infer E)[]
    ? readonly Partially<E>[]
    : T[K] extends object | undefined
      ? T[K] extends Uint8Array
        ? T[K]
        : Partially<NonNullable<T[K]>> | undefined
      : T[K] | undefined;
};

export function encode<F extends Fields>(of: Message<F>, value: Partially<MessageOf<Message<F>>>): Buffer {
  const writer = new Writer();
  writeMessage(writer, of as unknown as Message<Fields>, value as Readonly<Record<string, unknown>>);
  return writer.finish();
}

export function decode<F extends Fields>(of: Message<F>, data: Uint8Array): MessageOf<Message<F>> {
  return readMessage(of as unknown as Message<Fields>, new Reader(data, of.name), 0) as MessageOf<Message<F>>;
}

/** Messages within messages: no more than protobuf's own implementations take. */
const maxDepth = 100;

class Writer {
  #chunks: Uint8Array[] = [];
  #size = 0;

  varint(value: number): void {
    const out: number[] = [];
    if (value < 0) {
      // Negative numbers are 64-bit two's complement, ten bytes.
      let big = BigInt.asUintN(64, BigInt(value));
      while (big > 0x7fn) {
        out.push(Number(big & 0x7fn) | 0x80);
        big >>= 7n;
      }
      out.push(Number(big));
    } else {
      while (value > 0x7f) {
        out.push((value % 128) | 0x80);
        value = Math.floor(value / 128);
      }
      out.push(value);
    }
    this.raw(Uint8Array.from(out));
  }

  raw(data: Uint8Array): void {
    this.#chunks.push(data);
    this.#size += data.length;
  }

  tagged(id: number, data: Uint8Array): void {
    this.varint(id * 8 + 2);
    this.varint(data.length);
    this.raw(data);
  }

  finish(): Buffer {
    return Buffer.concat(this.#chunks, this.#size);
  }
}

function writeMessage(writer: Writer, of: Message<Fields>, value: Readonly<Record<string, unknown>>): void {
  for (const [name, field] of Object.entries(of.fields)) {
    const given = value[name];
    if (given === undefined || given === null) continue;
    if (field.kind === 'map') {
      for (const [key, entry] of Object.entries(given)) {
        const inner = new Writer();
        writeField(inner, { id: 1, kind: 'string' }, key, true);
        writeField(inner, field.value!, entry, true);
        writer.tagged(field.id, inner.finish());
      }
    } else if (field.repeated) for (const item of given as readonly unknown[]) writeField(writer, field, item, true);
    else writeField(writer, field, given, false);
  }
}

function writeField(writer: Writer, field: Field<unknown>, value: unknown, always: boolean): void {
  switch (field.kind) {
    case 'string':
      if (always || value !== '') writer.tagged(field.id, Buffer.from(value as string));
      break;
    case 'bytes':
      if (always || (value as Uint8Array).length > 0) writer.tagged(field.id, value as Uint8Array);
      break;
    case 'bool':
    case 'int':
      if (always || (value !== 0 && value !== false)) {
        writer.varint(field.id * 8);
        writer.varint(Number(value));
      }
      break;
    case 'message': {
      const inner = new Writer();
      writeMessage(inner, field.message!(), value as Readonly<Record<string, unknown>>);
      writer.tagged(field.id, inner.finish());
      break;
    }
    case 'map':
      throw new Error('a map cannot be in a map');
  }
}

class Reader {
  readonly #data: Buffer;
  readonly #what: string;
  #at = 0;

  constructor(data: Uint8Array, what: string) {
    this.#data = Buffer.from(data.buffer, data.byteOffset, data.length);
    this.#what = what;
  }

  get done(): boolean {
    return this.#at >= this.#data.length;
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 10; shift++) {
      const byte = this.#data[this.#at++];
      if (byte === undefined) throw this.#broken();
      value += (byte & 0x7f) * 2 ** (7 * shift);
      if (byte < 0x80) {
        // Ten bytes: a negative number.
        return shift === 9 ? Number(BigInt.asIntN(64, this.#bigVarint(this.#at - 10))) : value;
      }
    }
    throw this.#broken();
  }

  #bigVarint(at: number): bigint {
    let value = 0n;
    for (let i = 0; i < 10; i++) value |= BigInt(this.#data[at + i]! & 0x7f) << BigInt(7 * i);
    return value;
  }

  bytes(): Buffer {
    const length = this.varint();
    const end = this.#at + length;
    if (length < 0 || end > this.#data.length) throw this.#broken();
    const out = this.#data.subarray(this.#at, end);
    this.#at = end;
    return out;
  }

  skip(type: number): void {
    if (type === 0) this.varint();
    else if (type === 1) this.#at += 8;
    else if (type === 2) this.bytes();
    else if (type === 5) this.#at += 4;
    else throw this.#broken();
    if (this.#at > this.#data.length) throw this.#broken();
  }

  #broken(): Error {
    return new InvalidArgument(`damaged protobuf message ${this.#what}`);
  }
}

function readMessage(of: Message<Fields>, reader: Reader, depth: number): Record<string, unknown> {
  if (depth > maxDepth) throw new InvalidArgument(`protobuf message ${of.name} is nested too deep`);
  const out: Record<string, unknown> = {};
  const byId = fieldsOf(of);
  for (const [name, field] of byId.values()) out[name] = initial(field);
  while (!reader.done) {
    const tag = reader.varint();
    const type = tag % 8;
    const known = byId.get(Math.floor(tag / 8));
    if (known === undefined || type !== wireType(known[1])) {
      // Packed numbers: a list of varints in one field.
      if (known?.[1].repeated && known[1].kind === 'int' && type === 2) {
        const packed = new Reader(reader.bytes(), of.name);
        while (!packed.done) (out[known[0]] as unknown[]).push(packed.varint());
      } else reader.skip(type);
      continue;
    }
    const [name, field] = known;
    if (field.kind === 'map') {
      const entry = readMessage(mapEntry(field), new Reader(reader.bytes(), of.name), depth + 1);
      // A plain object must not get a new prototype from a hostile key.
      Object.defineProperty(out[name], entry.key as string, {
        value: entry.value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    } else {
      const value = readField(field, reader, depth);
      if (field.repeated) (out[name] as unknown[]).push(value);
      else out[name] = value;
    }
  }
  return out;
}

const indexes = new WeakMap<Message<Fields>, ReadonlyMap<number, readonly [string, Field<unknown>]>>();

/** The fields of a message by their numbers; made once. */
function fieldsOf(of: Message<Fields>): ReadonlyMap<number, readonly [string, Field<unknown>]> {
  let index = indexes.get(of);
  if (index === undefined) {
    index = new Map(Object.entries(of.fields).map(([name, field]) => [field.id, [name, field]]));
    indexes.set(of, index);
  }
  return index;
}

const mapEntry = (field: Field<unknown>): Message<Fields> =>
  message('map entry', { key: string(1) as Field<unknown>, value: field.value! });

function readField(field: Field<unknown>, reader: Reader, depth: number): unknown {
  switch (field.kind) {
    case 'string':
      return reader.bytes().toString();
    case 'bytes':
      return reader.bytes();
    case 'bool':
      return reader.varint() !== 0;
    case 'int':
      return reader.varint();
    default:
      return readMessage(field.message!(), new Reader(reader.bytes(), field.message!().name), depth + 1);
  }
}

const wireType = (field: Field<unknown>): number => (field.kind === 'bool' || field.kind === 'int' ? 0 : 2);

function initial(field: Field<unknown>): unknown {
  if (field.repeated) return [];
  switch (field.kind) {
    case 'string':
      return '';
    case 'bytes':
      return new Uint8Array();
    case 'bool':
      return false;
    case 'int':
      return 0;
    case 'map':
      return {};
    default:
      return undefined;
  }
}
