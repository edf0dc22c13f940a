// Records of a `local` log (moby daemon/logger/local) → what `GET /containers/{id}/logs` sends. A record is its size, a protobuf message,
// and its size again, so that a tail can be found from the end:
//
//     u32 size, LogEntry{source = 1, time_nano = 2, line = 3, partial = 4, partial_log_metadata{last = 1, id = 2, ordinal = 3} = 5}, u32 size
//
// The line has no line end; a piece of a long line that is not the last has none in the output either.

import { formatNs } from '../../clock.ts';
import { type DecodeOptions, laterThan } from './json-file-decoder.ts';

const frameHeaderBytes = 8;
/** The time stamp, a space, a space for details, a line end. */
const slackBytes = 64;
const newline = 10;

interface Entry {
  isError: boolean;
  timeNs: bigint;
  lineAt: number;
  lineEnd: number;
  /** Does a line end follow? */
  whole: boolean;
}

/** Decodes pieces of a log; a record that is cut by the end of a piece is kept for the next. Throws on what is no such log. */
export class LocalDecoder {
  readonly #options: DecodeOptions;
  readonly #entry: Entry = { isError: false, timeNs: 0n, lineAt: 0, lineEnd: 0, whole: true };
  #rest: Buffer = Buffer.alloc(0);
  /** Set once a record lies after `until`. */
  ended = false;

  constructor(options: DecodeOptions) {
    this.#options = options;
  }

  push(chunk: Buffer): Buffer {
    const input = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const records: [number, number][] = [];
    let start = 0;
    let room = 0;
    while (input.length - start >= 8) {
      const size = input.readUInt32BE(start);
      if (input.length - start < size + 8) break;
      records.push([start + 4, start + 4 + size]);
      room += size + slackBytes + frameHeaderBytes;
      start += size + 8;
    }
    const out = Buffer.allocUnsafe(room);
    let at = 0;
    for (const [from, to] of records) {
      if (this.ended) break;
      at = this.#record(input, from, to, out, at);
    }
    this.#rest = Buffer.from(input.subarray(start));
    return out.subarray(0, at);
  }

  #record(input: Buffer, from: number, to: number, out: Buffer, at: number): number {
    const entry = this.#entry;
    parse(input, from, to, entry);
    const { stdout, stderr, timestamps, since, until, framed, details } = this.#options;
    if (!(entry.isError ? stderr : stdout)) return at;
    const time = timestamps || since !== undefined || until !== undefined ? formatNs(entry.timeNs) : '';
    if (until !== undefined && laterThan(time, until)) {
      this.ended = true;
      return at;
    }
    if (since !== undefined && laterThan(since, time)) return at;
    const head = at;
    if (framed) at += frameHeaderBytes;
    if (timestamps) at += out.write(`${time} `, at, 'latin1');
    if (details) out[at++] = 0x20;
    at += input.copy(out, at, entry.lineAt, entry.lineEnd);
    if (entry.whole) out[at++] = newline;
    if (framed) {
      out.writeUInt32BE(entry.isError ? 0x02000000 : 0x01000000, head);
      out.writeUInt32BE(at - head - frameHeaderBytes, head + 4);
    }
    return at;
  }
}

function parse(input: Buffer, from: number, to: number, entry: Entry): void {
  entry.isError = false;
  entry.timeNs = 0n;
  entry.lineAt = entry.lineEnd = from;
  entry.whole = true;
  for (let at = from; at < to; ) {
    const tag = input[at++]!;
    if ((tag & 7) === 0) {
      const end = varintEnd(input, at);
      if (tag === 0x10) entry.timeNs = varint(input, at, end);
      at = end;
      continue;
    }
    if ((tag & 7) !== 2) throw new Error('unreadable record in the log');
    const end = varintEnd(input, at);
    const size = Number(varint(input, at, end));
    at = end;
    if (at + size > to) throw new Error('unreadable record in the log');
    if (tag === 0x0a)
      entry.isError = input[at + 3] === 0x65; // std[e]rr
    else if (tag === 0x1a) {
      entry.lineAt = at;
      entry.lineEnd = at + size;
    } else if (tag === 0x2a) entry.whole = input[at] === 0x08 && input[at + 1] === 1; // last
    at += size;
  }
}

function varintEnd(input: Buffer, at: number): number {
  while (input[at]! & 0x80) at++;
  return at + 1;
}

function varint(input: Buffer, at: number, end: number): bigint {
  if (end - at <= 4) {
    let value = 0;
    for (let i = end - 1; i >= at; i--) value = value * 128 + (input[i]! & 0x7f);
    return BigInt(value);
  }
  let value = 0n;
  for (let i = end - 1; i >= at; i--) value = (value << 7n) | BigInt(input[i]! & 0x7f);
  return value;
}

/** Counts records from the back of what `read` gives: the offset of the count-th, or how many there are. */
export async function localRecordFromEnd(
  size: number,
  count: number,
  read: (from: number, to: number) => Promise<Buffer>,
  pieceBytes = 256 << 10,
): Promise<{ lines: number; offset?: number }> {
  let end = size;
  let lines = 0;
  while (end >= 8) {
    const from = Math.max(0, end - pieceBytes);
    const bytes = await read(from, end);
    let at = bytes.length;
    for (;;) {
      if (lines === count) return { lines, offset: from + at };
      if (at < 4) break;
      const record = bytes.readUInt32BE(at - 4) + 8;
      if (record > at) {
        // It begins before this piece, or is larger than a piece.
        if (from > 0 && at === bytes.length) pieceBytes = Math.max(pieceBytes * 2, record);
        if (from === 0) return { lines };
        break;
      }
      at -= record;
      lines++;
    }
    end = from + at;
  }
  return lines === count ? { lines, offset: end } : { lines };
}
