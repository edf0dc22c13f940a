// Reading of a tar stream from the daemon, which is not to be trusted: it holds what a container wrote.

import { InvalidArgument } from '../../errdefs/index.ts';

export interface ReadEntry {
  readonly name: string;
  /** tar's type flag: '0' file, '1' hard link, '2' symbolic link, '5' directory, others as they are. */
  readonly type: string;
  readonly mode: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly linkName: string;
  /** The content, to be read before the next entry is asked for; what is left unread is skipped. */
  readonly content: () => AsyncGenerator<Buffer, void, undefined>;
}

const blockBytes = 512;
const maxHeaderBytes = 1024 * 1024;

class Blocks {
  readonly #source: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Some bytes, at most `limit`; undefined at the end. */
  async some(limit: number): Promise<Buffer | undefined> {
    if (this.#held.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) return undefined;
      this.#held = next.value;
    }
    const part = this.#held.subarray(0, limit);
    this.#held = this.#held.subarray(part.length);
    return part;
  }

  async exactly(count: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    let left = count;
    while (left > 0) {
      const part = await this.some(left);
      if (part === undefined) {
        if (left === count) return undefined;
        throw new InvalidArgument('unexpected EOF in tar stream');
      }
      parts.push(part);
      left -= part.length;
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }
}

const text = (block: Buffer, from: number, length: number): string => {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? length : end).toString();
};

function number(block: Buffer, from: number, length: number): number {
  // GNU tar's base 256, for what octal cannot hold.
  if ((block[from]! & 0x80) !== 0)
    return block.subarray(from + 1, from + length).reduce((value, byte) => value * 256 + byte, 0);
  const digits = text(block, from, length).trim();
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

function paxRecords(body: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const length = Number.parseInt(body.toString('latin1', at, space), 10);
    if (space < 0 || !(length > 0) || at + length > body.length) break;
    const record = body.toString('utf8', space + 1, at + length - 1);
    const equals = record.indexOf('=');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

/** The entries in order. Long names of PAX and GNU are put in place. */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<ReadEntry, void, undefined> {
  const blocks = new Blocks(source);
  let pax = new Map<string, string>();
  let longName = '';
  let longLink = '';
  for (;;) {
    const block = await blocks.exactly(blockBytes);
    if (block === undefined || block.every(byte => byte === 0)) break;
    const type = String.fromCharCode(block[156] || 0x30);
    const size = Number(pax.get('size') ?? number(block, 124, 12));
    if (!Number.isSafeInteger(size) || size < 0) throw new InvalidArgument('invalid size in tar stream');
    if ('xgLK'.includes(type)) {
      if (size > maxHeaderBytes) throw new InvalidArgument('header too large in tar stream');
      const body = (await blocks.exactly(Math.ceil(size / blockBytes) * blockBytes)) ?? Buffer.alloc(0);
      const content = body.subarray(0, size);
      if (type === 'x') pax = paxRecords(content);
      if (type === 'L') longName = text(content, 0, content.length);
      if (type === 'K') longLink = text(content, 0, content.length);
      continue;
    }
    const isUstar = text(block, 257, 5) === 'ustar';
    const prefix = isUstar ? text(block, 345, 155) : '';
    const shortName = text(block, 0, 100);
    let left = type === '0' || type === '7' ? size : 0;
    const padding = (blockBytes - (left % blockBytes)) % blockBytes;
    const content = async function* (): AsyncGenerator<Buffer, void, undefined> {
      while (left > 0) {
        const part = await blocks.some(left);
        if (part === undefined) throw new InvalidArgument('unexpected EOF in tar stream');
        left -= part.length;
        yield part;
      }
    };
    yield {
      name: pax.get('path') ?? (longName || (prefix === '' ? shortName : `${prefix}/${shortName}`)),
      type: type === '7' ? '0' : type,
      mode: number(block, 100, 8) & 0o7777,
      size,
      mtimeMs: pax.has('mtime') ? Number(pax.get('mtime')) * 1000 : number(block, 136, 12) * 1000,
      linkName: pax.get('linkpath') ?? (longLink || text(block, 157, 100)),
      content,
    };
    for await (const rest of content()) void rest;
    if (padding > 0) await blocks.exactly(padding);
    pax = new Map();
    longName = '';
    longLink = '';
  }
  // The stream's end has to be read, or the connection cannot be used again.
  while ((await blocks.some(1 << 20)) !== undefined);
}
