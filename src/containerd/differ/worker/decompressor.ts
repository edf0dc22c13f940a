// Finds out how a stream is compressed and undoes it. gzip and zstd run in the thread pool, so that the next piece is being
// decompressed while this thread works on the last.

import type { Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { InvalidArgument } from '../../../errdefs/index.ts';
import { type Compression, detectCompression } from '../compression/detect.ts';
import { XzDecompress } from '../compression/xz-stream.ts';
import { ZstdFrames } from '../compression/zstd-frames.ts';

type DecompressStream = Transform;

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
    const stream: DecompressStream =
      this.#compression === 'gzip'
        ? createGunzip(options)
        : this.#compression === 'zstd'
          ? createZstdDecompress(options)
          : new XzDecompress();
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
