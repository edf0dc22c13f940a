// DNS messages (RFC 1035, RFC 6891), as much of them as a resolver in the middle needs: it reads questions, writes answers about
// addresses and names, and passes everything else on as it is.

import { DataLoss } from '../../errdefs/index.ts';
import { encodeAddress } from '../../netlink/index.ts';

export const recordType = { a: 1, ptr: 12, mx: 15, aaaa: 28, opt: 41, any: 255 } as const;
export const responseCode = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
} as const;
const classInternet = 1;

export interface Question {
  /** Lower case, without the dot at the end; '' is the root. */
  readonly name: string;
  readonly type: number;
  readonly recordClass: number;
}

export interface Query {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  readonly question: Question;
  /** Largest UDP answer the asker takes, where it says so (EDNS). */
  readonly udpSize?: number;
  /** EDNS: it wants DNSSEC records. */
  readonly dnssec: boolean;
  /** The question's bytes, to be repeated in the answer with the case the asker wrote (some check it). */
  readonly questionBytes: Uint8Array;
}

const headerBytes = 12;

/** A reader that never leaves its bytes. */
class Reader {
  readonly bytes: Uint8Array;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  u8(): number {
    const value = this.bytes[this.offset];
    if (value === undefined) throw new DataLoss('DNS message ends early');
    this.offset++;
    return value;
  }

  u16(): number {
    return (this.u8() << 8) | this.u8();
  }

  skip(length: number): void {
    if (this.offset + length > this.bytes.length) throw new DataLoss('DNS message ends early');
    this.offset += length;
  }

  /** A name as its labels; compression pointers only lead backwards, so that this ends. */
  labels(): string[] {
    const out: string[] = [];
    let end: number | undefined;
    let limit = this.offset;
    let total = 0;
    for (;;) {
      const length = this.u8();
      if (length === 0) break;
      if ((length & 0xc0) === 0xc0) {
        const target = ((length & 0x3f) << 8) | this.u8();
        end ??= this.offset;
        if (target >= limit) throw new DataLoss('DNS name points forwards');
        limit = target;
        this.offset = target;
        continue;
      }
      if ((length & 0xc0) !== 0) throw new DataLoss('DNS label of an unknown kind');
      total += length + 1;
      if (total > 255) throw new DataLoss('DNS name is too long');
      const start = this.offset;
      this.skip(length);
      out.push(Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, length).toString('latin1'));
    }
    if (end !== undefined) this.offset = end;
    return out;
  }
}

/** Reads a query with one question; DataLoss when it is none. */
export function decodeQuery(bytes: Uint8Array): Query {
  const reader = new Reader(bytes);
  const id = reader.u16();
  const flags = reader.u16();
  const counts = [reader.u16(), reader.u16(), reader.u16(), reader.u16()] as const;
  if ((flags & 0x8000) !== 0) throw new DataLoss('a DNS answer where a query was expected');
  if (counts[0] !== 1) throw new DataLoss(`a DNS query with ${counts[0]} questions`);
  const start = reader.offset;
  const labels = reader.labels();
  const type = reader.u16();
  const recordClass = reader.u16();
  const questionBytes = bytes.slice(start, reader.offset);
  const edns = findEdns(reader, counts[1] + counts[2] + counts[3]);
  return {
    id,
    opcode: (flags >> 11) & 0xf,
    recursionDesired: (flags & 0x0100) !== 0,
    checkingDisabled: (flags & 0x0010) !== 0,
    question: { name: labels.join('.').toLowerCase(), type, recordClass },
    dnssec: edns?.dnssec ?? false,
    questionBytes,
    ...(edns !== undefined && { udpSize: edns.udpSize }),
  };
}

function findEdns(reader: Reader, records: number): { udpSize: number; dnssec: boolean } | undefined {
  let found: { udpSize: number; dnssec: boolean } | undefined;
  for (let i = 0; i < records; i++) {
    reader.labels();
    const type = reader.u16();
    const recordClass = reader.u16();
    reader.skip(2);
    const flags = reader.u16();
    reader.skip(reader.u16());
    if (type === recordType.opt) found = { udpSize: recordClass, dnssec: (flags & 0x8000) !== 0 };
  }
  return found;
}

/** What an answer says about the name asked for. */
export type AnswerRecord =
  | { readonly type: 'address'; readonly address: string }
  | { readonly type: 'name'; readonly name: string };

export const answerTtl = 600;

/** Encodes an answer. Longer than `limit` it comes without records and marked as truncated, so that the asker tries TCP. */
export function encodeAnswer(query: Query, code: number, records: readonly AnswerRecord[], limit: number): Uint8Array {
  const body = Buffer.concat(records.map(encodeRecord));
  const edns = query.udpSize === undefined ? new Uint8Array(0) : Uint8Array.of(0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0);
  const fits = headerBytes + query.questionBytes.length + body.length + edns.length <= limit;
  const header = new Uint8Array(headerBytes);
  const view = new DataView(header.buffer);
  view.setUint16(0, query.id);
  // Answer, opcode, truncated, recursion desired and available.
  const flags =
    0x8000 | (query.opcode << 11) | (fits ? 0 : 0x0200) | (query.recursionDesired ? 0x0100 : 0) | 0x0080 | code;
  view.setUint16(2, flags);
  view.setUint16(4, 1);
  view.setUint16(6, fits ? records.length : 0);
  view.setUint16(10, edns.length > 0 ? 1 : 0);
  return Buffer.concat([header, query.questionBytes, ...(fits ? [body] : []), edns]);
}

/** One record about the name in the question, which begins right after the header. */
function encodeRecord(record: AnswerRecord): Uint8Array {
  const data = record.type === 'address' ? encodeAddress(record.address) : encodeName(record.name);
  const type = record.type === 'name' ? recordType.ptr : data.length === 4 ? recordType.a : recordType.aaaa;
  const head = new Uint8Array(12);
  const view = new DataView(head.buffer);
  view.setUint16(0, 0xc000 | headerBytes);
  view.setUint16(2, type);
  view.setUint16(4, classInternet);
  view.setUint32(6, answerTtl);
  view.setUint16(10, data.length);
  return Buffer.concat([head, data]);
}

/** A name in labels; a label that is too long is cut, a name never. */
export function encodeName(name: string): Uint8Array {
  const labels = name === '' ? [] : name.split('.');
  const parts = labels.flatMap(label => {
    const bytes = Buffer.from(label, 'latin1').subarray(0, 63);
    return [Uint8Array.of(bytes.length), bytes];
  });
  return Buffer.concat([...parts, Uint8Array.of(0)]);
}

/** A question as bytes; for tests and for asking ourselves. */
export function encodeQuery(id: number, name: string, type: number, udpSize?: number): Uint8Array {
  const head = new Uint8Array(headerBytes);
  const view = new DataView(head.buffer);
  view.setUint16(0, id);
  view.setUint16(2, 0x0100);
  view.setUint16(4, 1);
  view.setUint16(10, udpSize === undefined ? 0 : 1);
  const tail = Uint8Array.of(type >> 8, type & 0xff, 0, classInternet);
  const edns = udpSize === undefined ? [] : [Uint8Array.of(0, 0, 41, udpSize >> 8, udpSize & 0xff, 0, 0, 0, 0, 0, 0)];
  return Buffer.concat([head, encodeName(name), tail, ...edns]);
}

/** An answer, as far as tests and the egress policy look at it. */
export interface DecodedAnswer {
  readonly id: number;
  readonly code: number;
  readonly truncated: boolean;
  readonly addresses: readonly string[];
  readonly names: readonly string[];
  /** The longest of its records. */
  readonly ttlSeconds: number;
}

export function decodeAnswer(bytes: Uint8Array, formatAddress: (bytes: Uint8Array) => string): DecodedAnswer {
  const reader = new Reader(bytes);
  const id = reader.u16();
  const flags = reader.u16();
  const [questions, answers] = [reader.u16(), reader.u16()];
  reader.skip(4);
  for (let i = 0; i < questions; i++) {
    reader.labels();
    reader.skip(4);
  }
  const addresses: string[] = [];
  const names: string[] = [];
  let ttlSeconds = 0;
  for (let i = 0; i < answers; i++) {
    reader.labels();
    const type = reader.u16();
    reader.skip(2);
    ttlSeconds = Math.max(ttlSeconds, reader.u16() * 0x10000 + reader.u16());
    const length = reader.u16();
    const start = reader.offset;
    reader.skip(length);
    if ((type === recordType.a && length === 4) || (type === recordType.aaaa && length === 16)) {
      addresses.push(formatAddress(bytes.subarray(start, start + length)));
    } else if (type === recordType.ptr) {
      const inner = new Reader(bytes);
      inner.offset = start;
      names.push(inner.labels().join('.'));
    }
  }
  return { id, code: flags & 0xf, truncated: (flags & 0x0200) !== 0, addresses, names, ttlSeconds };
}

/** Does this look like the answer to that question? Anything else that arrives on a socket is somebody's forgery. */
export function isAnswerTo(bytes: Uint8Array, id: number, query: Query): boolean {
  if (bytes.length < headerBytes + query.questionBytes.length) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0) !== id || (view.getUint8(2) & 0x80) === 0 || view.getUint16(4) !== 1) return false;
  const echoed = Buffer.from(bytes.buffer, bytes.byteOffset + headerBytes, query.questionBytes.length);
  return echoed.toString('latin1').toLowerCase() === Buffer.from(query.questionBytes).toString('latin1').toLowerCase();
}

/** The address asked about by a reverse look-up, or undefined. */
export function reverseAddress(name: string): string | undefined {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  if (four !== null) return four.slice(1, 5).map(Number).reverse().join('.');
  const six = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name)?.[1];
  if (six === undefined) return undefined;
  const digits = six.replaceAll('.', '').split('').reverse().join('');
  return (digits.match(/.{4}/g) ?? []).join(':');
}
