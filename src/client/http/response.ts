// Reading of HTTP/1.1 responses by hand: node:http costs a client some 10 ms at its start that this does not.

import { Unavailable } from '../../errdefs/index.ts';
import type { ByteSource } from './byte-source.ts';
import { ChunkedDecoder } from './chunked.ts';

const maxHeadBytes = 1024 * 1024;
const maxTextBytes = 1024 * 1024 * 1024;

export interface ResponseHead {
  readonly status: number;
  /** Lower-case names; of a repeated header the last. */
  readonly headers: ReadonlyMap<string, string>;
}

const malformed = (what: string): Unavailable => new Unavailable(`malformed HTTP response from the daemon: ${what}`);

/** Reads up to the empty line after the headers; 100 Continue is skipped. */
export async function readHead(source: ByteSource): Promise<ResponseHead> {
  for (;;) {
    const head = parseHead(await readUntil(source, '\r\n\r\n'));
    if (head.status !== 100) return head;
  }
}

async function readUntil(source: ByteSource, mark: string): Promise<string> {
  let held: Buffer = Buffer.alloc(0);
  for (;;) {
    const chunk = await source.next();
    if (chunk === undefined) throw held.length === 0 ? new Unavailable('EOF') : new Unavailable('unexpected EOF');
    const from = Math.max(0, held.length - mark.length + 1);
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const at = held.indexOf(mark, from, 'latin1');
    if (at >= 0) {
      source.unshift(held.subarray(at + mark.length));
      return held.toString('latin1', 0, at);
    }
    if (held.length > maxHeadBytes) throw malformed('header too long');
  }
}

function parseHead(text: string): ResponseHead {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const match = /^HTTP\/1\.[01] ([1-9][0-9]{2})(?: |$)/.exec(statusLine);
  if (match === null) throw malformed(JSON.stringify(statusLine.slice(0, 80)));
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status: Number(match[1]), headers };
}

/** One response. The body is read once, by iteration or by `text`; until then the connection belongs to it. */
export class HttpResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly #source: ByteSource;
  readonly #release: (reusable: boolean) => void;
  readonly #bodyless: boolean;

  constructor(head: ResponseHead, source: ByteSource, bodyless: boolean, release: (reusable: boolean) => void) {
    this.status = head.status;
    this.headers = head.headers;
    this.#source = source;
    this.#release = release;
    this.#bodyless = bodyless || head.status === 204 || head.status === 304;
    if (this.#bodyless) release(this.#keepAlive);
  }

  get #keepAlive(): boolean {
    return this.headers.get('connection')?.toLowerCase() !== 'close';
  }

  /** The body as it arrives. Leaving early closes the connection. */
  async *body(): AsyncGenerator<Buffer, void, undefined> {
    if (this.#bodyless) return;
    let whole = false;
    try {
      const length = this.headers.get('content-length');
      if (this.headers.get('transfer-encoding')?.toLowerCase() === 'chunked') yield* this.#chunked();
      else if (length !== undefined) yield* this.#counted(Number(length));
      else {
        for (let chunk = await this.#source.next(); chunk !== undefined; chunk = await this.#source.next()) yield chunk;
      }
      whole = length !== undefined || this.headers.has('transfer-encoding');
    } finally {
      this.#release(whole && this.#keepAlive);
    }
  }

  async text(): Promise<string> {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of this.body()) {
      bytes += chunk.length;
      if (bytes > maxTextBytes) throw malformed('body too long');
      pieces.push(chunk);
    }
    return (pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)).toString();
  }

  async *#counted(length: number): AsyncGenerator<Buffer, void, undefined> {
    if (!Number.isInteger(length) || length < 0) throw malformed('Content-Length');
    for (let left = length; left > 0; ) {
      const chunk = await this.#source.next();
      if (chunk === undefined) throw new Unavailable('unexpected EOF');
      const part = chunk.subarray(0, left);
      if (part.length < chunk.length) this.#source.unshift(chunk.subarray(part.length));
      left -= part.length;
      yield part;
    }
  }

  async *#chunked(): AsyncGenerator<Buffer, void, undefined> {
    const decoder = new ChunkedDecoder();
    while (!decoder.done) {
      const bytes = await this.#source.next();
      if (bytes === undefined) throw new Unavailable('unexpected EOF');
      const data = decoder.push(bytes);
      if (decoder.done) this.#source.unshift(decoder.rest);
      if (data.length > 0) yield data;
    }
  }
}
