// One layer in a worker: digest, ingest file, decompression, diff id and untar in one pass.

import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, ftruncateSync, openSync, read, writeSync } from 'node:fs';
import { DataLoss, ResourceExhausted } from '../../../errdefs/index.ts';
import { LayerApplier } from '../apply/applier.ts';
import { TarReader } from '../tar/reader.ts';
import { Decompressor } from './decompressor.ts';
import type { OpenSession, SessionResult } from './protocol.ts';

const replayBytes = 256 * 1024;
const ratioFloorBytes = 64 << 20;

export interface SessionEvents {
  opened(offset: number): void;
  taken(bytes: number, unpackedBytes: number): void;
  done(result: SessionResult): void;
  failed(err: Error): void;
}

export class LayerSession {
  readonly #options: OpenSession;
  readonly #events: SessionEvents;
  readonly #digest = createHash('sha256');
  readonly #diffId = createHash('sha256');
  #fd = -1;
  #size = 0;
  #unpackedBytes = 0;
  #applier: LayerApplier | undefined;
  #tar: TarReader | undefined;
  #decompressor: Decompressor | undefined;
  #over = false;

  constructor(options: OpenSession, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
  }

  async open(): Promise<void> {
    try {
      const { ingest, blob, directory, limits } = this.#options;
      if (blob !== undefined) this.#fd = openSync(blob, constants.O_RDONLY);
      else if (ingest !== undefined) this.#fd = openSync(ingest, constants.O_RDWR | constants.O_CREAT, 0o600);
      if (directory !== undefined) {
        this.#applier = new LayerApplier(directory, limits);
        this.#tar = new TarReader(this.#applier);
        this.#decompressor = new Decompressor(
          bytes => this.#unpack(bytes),
          err => this.#fail(err),
        );
      }
      await this.#replay();
      if (!this.#over) this.#events.opened(this.#size);
    } catch (err) {
      this.#fail(err as Error);
    }
  }

  chunk(bytes: Uint8Array): void {
    if (this.#over) return;
    try {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#checkSize(buffer.length);
      if (this.#fd >= 0) {
        for (let done = 0; done < buffer.length; ) {
          done += writeSync(this.#fd, buffer, done, buffer.length - done, this.#size + done);
        }
      }
      this.#take(buffer, () => this.#events.taken(buffer.length, this.#unpackedBytes));
    } catch (err) {
      this.#fail(err as Error);
    }
  }

  end(): void {
    if (this.#over) return;
    const { expected } = this.#options;
    if (expected !== undefined && this.#size !== expected.size) {
      this.#fail(
        new DataLoss(
          `failed size validation: got ${this.#size} bytes, expected ${expected.size} of ${expected.digest}`,
        ),
      );
    } else if (this.#decompressor === undefined) {
      this.#finish();
    } else {
      this.#decompressor.end(() => this.#finish());
    }
  }

  /** Gives up; the ingest stays as it is. */
  close(): void {
    this.#over = true;
    this.#decompressor?.close();
    this.#applier?.close();
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    this.#applier = undefined;
  }

  /** Reads what an earlier try left through the same pass. */
  async #replay(): Promise<void> {
    if (this.#fd < 0) return;
    const { size } = fstatSync(this.#fd);
    const limit = this.#options.expected?.size ?? size;
    if (size > limit) {
      // More than the blob has: not its bytes.
      if (this.#options.ingest !== undefined) ftruncateSync(this.#fd, 0);
      return;
    }
    while (this.#size < size && !this.#over) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(replayBytes, size - this.#size));
      const length = await readFrom(this.#fd, buffer, this.#size);
      if (length === 0) break;
      await new Promise<void>(resolve => {
        this.#take(buffer.subarray(0, length), resolve);
        if (this.#over) resolve();
        this.#whenOver = resolve;
      });
    }
  }

  #whenOver: (() => void) | undefined;

  #take(buffer: Buffer, taken: () => void): void {
    this.#size += buffer.length;
    // What is not compressed has one digest for both.
    if (this.#decompressor?.detect(buffer) !== 'none') this.#digest.update(buffer);
    if (this.#decompressor === undefined) taken();
    else this.#decompressor.write(buffer, taken);
  }

  #checkSize(adding: number): void {
    const expected = this.#options.expected;
    if (expected !== undefined && this.#size + adding > expected.size) {
      throw new DataLoss(`failed size validation: more than the ${expected.size} bytes expected of ${expected.digest}`);
    }
  }

  #unpack(bytes: Buffer): void {
    if (this.#over) return;
    const { limits } = this.#options;
    this.#unpackedBytes += bytes.length;
    if (this.#unpackedBytes > limits.maxBytes) {
      throw new ResourceExhausted(`layer unpacks to more than ${limits.maxBytes} bytes`);
    }
    if (this.#unpackedBytes > ratioFloorBytes && this.#unpackedBytes > this.#size * limits.maxRatio) {
      throw new ResourceExhausted(`layer unpacks to more than ${limits.maxRatio} times its size`);
    }
    this.#diffId.update(bytes);
    this.#tar!.write(bytes);
  }

  #finish(): void {
    if (this.#over) return;
    try {
      const result = this.#verify();
      const fd = this.#fd;
      this.#fd = -1;
      this.#applier?.close();
      this.#applier = undefined;
      this.#over = true;
      if (fd >= 0) closeSync(fd);
      this.#events.done(result);
    } catch (err) {
      this.#fail(err as Error);
    }
  }

  #verify(): SessionResult {
    const diffId = `sha256:${this.#diffId.digest('hex')}`;
    const digest = this.#decompressor?.compression === 'none' ? diffId : `sha256:${this.#digest.digest('hex')}`;
    const { expected } = this.#options;
    if (expected !== undefined && digest !== expected.digest) {
      throw new DataLoss(`filesystem layer verification failed for digest ${expected.digest}: got ${digest}`);
    }
    if (this.#tar === undefined) return { digest, size: this.#size };
    this.#tar.end();
    if (expected?.diffId !== undefined && expected.diffId !== diffId) {
      throw new DataLoss(`wrong diff id calculated on extraction: got ${diffId}, expected ${expected.diffId}`);
    }
    const applied = this.#applier!.finish();
    return { digest, size: this.#size, unpacked: { ...applied, diffId, bytes: this.#unpackedBytes } };
  }

  #fail(err: Error): void {
    if (this.#over) return;
    this.close();
    this.#whenOver?.();
    this.#events.failed(err);
  }
}

function readFrom(fd: number, buffer: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, buffer.length, position, (err, length) => (err === null ? resolve(length) : reject(err)));
  });
}
