// HTTP's chunked coding, taken off in place: daemons send a chunk to each line of a log, a million of them in a row.

import { Unavailable } from '../../errdefs/index.ts';

const lineFeed = 0x0a;
/** Of a size line or a trailer. */
const maxLineBytes = 16 * 1024;

/** What comes next: a chunk's size line, its data, the line end after it, a trailer's line, or nothing more. */
type State = 'size' | 'data' | 'end of data' | 'trailer' | 'done';

/** Decodes a chunked body as it arrives. */
export class ChunkedDecoder {
  #state: State = 'size';
  #line = '';
  #left = 0;
  /** Bytes after the body's end; they belong to the next response. */
  rest: Buffer = Buffer.alloc(0);

  get done(): boolean {
    return this.#state === 'done';
  }

  /** The data in these bytes, moved together at their beginning: the buffer belongs to us from now on. Throws Unavailable. */
  push(bytes: Buffer): Buffer {
    let at = 0;
    let to = 0;
    while (at < bytes.length && this.#state !== 'done') {
      if (this.#state === 'data') {
        const take = Math.min(this.#left, bytes.length - at);
        if (to !== at) bytes.copyWithin(to, at, at + take);
        to += take;
        at += take;
        this.#left -= take;
        if (this.#left === 0) this.#state = 'end of data';
        continue;
      }
      const end = bytes.indexOf(lineFeed, at);
      const stop = end < 0 ? bytes.length : end;
      this.#line += bytes.toString('latin1', at, stop);
      at = stop + 1;
      if (this.#line.length > maxLineBytes) throw malformed('line of a chunk too long');
      if (end < 0) break;
      const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line;
      this.#line = '';
      this.#onLine(line);
    }
    if (this.#state === 'done' && at < bytes.length) this.rest = bytes.subarray(at);
    return bytes.subarray(0, to);
  }

  #onLine(line: string): void {
    if (this.#state === 'size') {
      const digits = /^[0-9a-fA-F]{1,12}(?=[ \t]*(?:;|$))/.exec(line)?.[0];
      if (digits === undefined) throw malformed('chunk size');
      this.#left = Number.parseInt(digits, 16);
      this.#state = this.#left === 0 ? 'trailer' : 'data';
    } else if (this.#state === 'end of data') {
      if (line !== '') throw malformed('chunk end');
      this.#state = 'size';
    } else if (line === '') this.#state = 'done';
  }
}

const malformed = (what: string): Unavailable => new Unavailable(`malformed HTTP response from the daemon: ${what}`);
