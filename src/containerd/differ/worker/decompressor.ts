// Finds out how a stream is compressed and undoes it. gzip and zstd run in the thread pool, so that the next piece is being
// decompressed while this thread works on the last.

import { createGunzip, createZstdDecompress } from 'node:zlib';
import { InvalidArgument, NotImplemented } from '../../../errdefs/index.ts';

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

const outputBytes = 128 * 1024;
/** Decompressed bytes that may wait for us. */
const maxQueueBytes = 512 * 1024;

/** Decompresses by pieces; `onData` is called on this thread, in order, outside of `write`. */
export class Decompressor {
  readonly #onData: (bytes: Buffer) => void;
  readonly #onError: (err: Error) => void;
  #stream: ReturnType<typeof createGunzip> | undefined;
  #plain = false;
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

  /** `taken` is called when the piece has been consumed. */
  write(bytes: Buffer, taken: () => void): void {
    if (this.#closed) return;
    if (this.#stream === undefined && !this.#plain) this.#start(bytes);
    if (this.#plain) {
      this.#guard(() => this.#onData(bytes));
      taken();
    } else {
      this.#stream!.write(bytes, () => taken());
    }
  }

  end(done: () => void): void {
    if (this.#closed) return;
    this.#onEnd = done;
    if (this.#stream === undefined) {
      done();
    } else {
      this.#stream.end();
    }
  }

  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#stream?.destroy();
  }

  #start(head: Buffer): void {
    const compression = detectCompression(head);
    if (compression === 'none') {
      this.#plain = true;
      return;
    }
    const options = { chunkSize: outputBytes, highWaterMark: outputBytes };
    const stream = compression === 'gzip' ? createGunzip(options) : (createZstdDecompress(options) as never);
    this.#stream = stream as ReturnType<typeof createGunzip>;
    this.#stream.on('data', (bytes: Buffer) => {
      this.#queue.push(bytes);
      this.#queueBytes += bytes.length;
      if (this.#queueBytes >= maxQueueBytes) this.#stream!.pause();
      this.#schedule();
    });
    this.#stream.on('end', () => {
      this.#ended = true;
      this.#schedule();
    });
    this.#stream.on('error', err => {
      if (this.#closed) return;
      this.#onError(new InvalidArgument(`failed to decompress layer: ${err.message}`, { cause: err }));
    });
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
