// Finds out how a stream is compressed and undoes it. gzip and zstd run in the thread pool, so that the next piece is being
// decompressed while this thread works on the last.

import { createGunzip, createZstdDecompress } from 'node:zlib';
import { InvalidArgument, NotImplemented } from '../../../errdefs/index.ts';
import { ZstdFrames } from './zstd-frames.ts';

export type Compression = 'gzip' | 'zstd' | 'none';

export function detectCompression(head: Uint8Array): Compression {
  const starts = (...bytes: number[]) => bytes.every((byte, i) => head[i] === byte);
  if (starts(0x1f, 0x8b)) return 'gzip';
  // A zstd frame, or a skippable one (0x184D2A5?), with which zstd:chunked and eStargz begin or end.
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if ((head[0]! & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18) return 'zstd';
  if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a)) throw new NotImplemented('xz compression is not supported');
  if (starts(0x42, 0x5a, 0x68)) throw new NotImplemented('bzip2 compression is not supported');
  return 'none';
}

type DecompressStream = ReturnType<typeof createGunzip>;

const outputBytes = 128 * 1024;
/** Decompressed bytes that may wait for us. */
const maxQueueBytes = 512 * 1024;

/** Decompresses by pieces; `onData` is called on this thread, in order, outside of `write`. */
export class Decompressor {
  readonly #onData: (bytes: Buffer) => void;
  readonly #onError: (err: Error) => void;
  #stream: DecompressStream | undefined;
  #compression: Compression | undefined;
  #zstd: ZstdFrames | undefined;
  #queue: Buffer[] = [];
  #queueBytes = 0;
  #scheduled = false;
  #ended = false;
  #closed = false;
  #onEnd: (() => void) | undefined;

  constructor(onData: (bytes: Buffer) => void, onError: (err: Error) => void) {
    this.#onData = onData;
    this.#onError = onError;
  }

  /** Known from the first piece on. */
  get compression(): Compression | undefined {
    return this.#compression;
  }

  /** Looks at the first piece, before it is written. */
  detect(head: Buffer): Compression {
    this.#compression ??= detectCompression(head);
    return this.#compression;
  }

  /** `taken` is called when the piece has been consumed. */
  write(bytes: Buffer, taken: () => void): void {
    if (this.#closed) return;
    if (this.detect(bytes) === 'none') {
      this.#guard(() => this.#onData(bytes));
      taken();
    } else {
      this.#stream ??= this.#start();
      if (this.#zstd === undefined) this.#stream.write(bytes, () => taken());
      else this.#writeFrames(this.#stream, this.#zstd, bytes, taken);
    }
  }

  #writeFrames(stream: DecompressStream, frames: ZstdFrames, bytes: Buffer, taken: () => void): void {
    this.#guard(() => {
      const pieces = frames.split(bytes);
      if (pieces.length === 0) taken();
      for (const [i, piece] of pieces.entries()) stream.write(piece, () => i === pieces.length - 1 && taken());
    });
  }

  end(done: () => void): void {
    if (this.#closed) return;
    this.#onEnd = done;
    if (this.#stream === undefined) {
      done();
    } else {
      this.#guard(() => this.#zstd?.end());
      this.#stream.end();
    }
  }

  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#stream?.destroy();
  }

  #start(): DecompressStream {
    if (this.#compression === 'zstd') this.#zstd = new ZstdFrames();
    const options = { chunkSize: outputBytes, highWaterMark: outputBytes };
    // Both are streams of the same kind; only their option types differ.
    const stream: DecompressStream =
      this.#compression === 'gzip' ? createGunzip(options) : (createZstdDecompress(options) as never);
    stream.on('data', (bytes: Buffer) => {
      this.#queue.push(bytes);
      this.#queueBytes += bytes.length;
      if (this.#queueBytes >= maxQueueBytes) stream.pause();
      this.#schedule();
    });
    stream.on('end', () => {
      this.#ended = true;
      this.#schedule();
    });
    stream.on('error', err => {
      if (this.#closed) return;
      this.#onError(new InvalidArgument(`failed to decompress layer: ${err.message}`, { cause: err }));
    });
    return stream;
  }

  /** One piece per turn of the loop: between two, zlib's answer comes in and its next piece is begun. */
  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#closed) return;
      const bytes = this.#queue.shift();
      if (bytes !== undefined) {
        this.#queueBytes -= bytes.length;
        this.#guard(() => this.#onData(bytes));
        if (this.#closed) return;
        if (this.#queueBytes < maxQueueBytes / 2 && this.#stream!.isPaused()) this.#stream!.resume();
      }
      if (this.#queue.length > 0) this.#schedule();
      else if (this.#ended) this.#onEnd?.();
    });
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (err) {
      this.#onError(err as Error);
    }
  }
}
