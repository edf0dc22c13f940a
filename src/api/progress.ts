// The progress streams of pull, push, build, load and import: JSON objects back to back, each followed by \r\n.

import { InvalidArgument } from '../errdefs/index.ts';

export interface ProgressDetail {
  readonly current?: number;
  readonly total?: number;
  readonly start?: number;
  readonly hidecounts?: boolean;
  readonly units?: string;
}

/** One record. `error` doubles `errorDetail.message` and `progress` draws `progressDetail`, for older clients. */
export interface ProgressMessage {
  readonly stream?: string;
  readonly status?: string;
  /** What the status is about; for layers the first 12 digits of the digest. */
  readonly id?: string;
  readonly progressDetail?: ProgressDetail;
  readonly progress?: string;
  readonly errorDetail?: { readonly code?: number; readonly message: string };
  readonly error?: string;
  readonly aux?: unknown;
}

export const encodeProgress = (message: ProgressMessage): string => `${JSON.stringify(message)}\r\n`;

/** A failure after the stream began: the status code is out, so it travels as a record. */
export const progressError = (message: string, code?: number): ProgressMessage => ({
  errorDetail: { ...(code !== undefined && { code }), message },
  error: message,
});

/** Size of one record that we accept. */
const maxRecordBytes = 64 * 1024 * 1024;

/**
 * Splits a stream of JSON objects into values. Records need not be separated by anything (the engine's own are by \r\n,
 * stats by \n, and json-seq by 0x1E): the object's closing brace ends it.
 */
export class JsonStreamDecoder {
  readonly #onValue: (value: unknown) => void;
  #pieces: Buffer[] = [];
  #heldBytes = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  constructor(onValue: (value: unknown) => void) {
    this.#onValue = onValue;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === 0x5c) this.#escaped = true;
        else if (byte === 0x22) this.#inString = false;
        continue;
      }
      if (byte === 0x22) this.#inString = true;
      else if (byte === 0x7b || byte === 0x5b) {
        if (this.#depth++ === 0) start = i;
      } else if (byte === 0x7d || byte === 0x5d) {
        if (--this.#depth > 0) continue;
        if (this.#depth < 0) throw new InvalidArgument('unbalanced brackets in a JSON stream');
        this.#take(chunk.subarray(start, i + 1));
      }
    }
    if (this.#depth > 0) this.#hold(chunk.subarray(start));
  }

  /** Whether the stream ended between two records. */
  get atBoundary(): boolean {
    return this.#depth === 0;
  }

  #hold(piece: Buffer): void {
    this.#heldBytes += piece.length;
    if (this.#heldBytes > maxRecordBytes) throw new InvalidArgument('a record of a JSON stream is too large');
    this.#pieces.push(Buffer.from(piece));
  }

  #take(last: Buffer): void {
    const whole = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last]);
    this.#pieces = [];
    this.#heldBytes = 0;
    let value: unknown;
    try {
      value = JSON.parse(whole.toString());
    } catch (cause) {
      throw new InvalidArgument('malformed record in a JSON stream', { cause });
    }
    this.#onValue(value);
  }
}
