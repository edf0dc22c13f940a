// A context as it comes in the body of a request: kept as the archive that it is, with an index of what is in it. Only when a step
// needs the files are they unpacked.

import { createHash, type Hash } from 'node:crypto';
import { closeSync, createReadStream, mkdirSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { ContentIndex } from '../../build/index.ts';
import { Decompressor, type Extract, type TarEntry, TarReader } from '../../containerd/index.ts';
import { InvalidArgument, ResourceExhausted } from '../../errdefs/index.ts';

/** A Dockerfile beyond this is none. */
const maxTextBytes = 4 << 20;
/** As for layers: gzip reaches 1032. */
const maxRatio = 2000;
const ratioFloorBytes = 64 << 20;

export class ContextArchive {
  readonly index = new ContentIndex();
  /** Where the files go. */
  readonly directory: string;
  readonly #file: string;
  readonly #extract: Extract;
  readonly #texts = new Map<string, string>();
  #filled: Promise<void> | undefined;
  readonly #dropped: string[] = [];

  /** `root` is an empty directory of this context's own. */
  constructor(root: string, extract: Extract) {
    this.#file = path.join(root, 'context.tar');
    this.directory = path.join(root, 'files');
    mkdirSync(this.directory, { mode: 0o700 });
    this.#extract = extract;
  }

  /** Takes the archive in; the texts of `keep` can be read at once. InvalidArgument for what is no archive. */
  async receive(body: AsyncIterable<Uint8Array>, keep: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const sink = new IndexSink(this.index, keep, this.#texts);
    const reader = new TarReader(sink);
    const out = openSync(this.#file, 'wx', 0o600);
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => {});
    let received = 0;
    let plain = 0;
    const decompressor = new Decompressor(bytes => {
      plain += bytes.length;
      if (plain > ratioFloorBytes && plain > received * maxRatio)
        throw new ResourceExhausted(`the build context unpacks to more than ${maxRatio} times its size`);
      reader.write(bytes);
    }, failed.reject);
    try {
      for await (const chunk of body) {
        signal.throwIfAborted();
        received += chunk.length;
        for (let at = 0; at < chunk.length; ) at += writeSync(out, chunk, at);
        const taken = Promise.withResolvers<void>();
        decompressor.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength), taken.resolve);
        await Promise.race([taken.promise, failed.promise]);
      }
      const ended = Promise.withResolvers<void>();
      decompressor.end(ended.resolve);
      await Promise.race([ended.promise, failed.promise]);
    } finally {
      decompressor.close();
      closeSync(out);
    }
  }

  /** A text that was to be kept. */
  text(name: string): string | undefined {
    return this.#texts.get(clean(name));
  }

  /** Leaves a file out, now and when the files are unpacked. */
  drop(name: string): void {
    this.index.remove(name);
    this.#dropped.push(name);
  }

  /** Unpacks the files, once; gives what is to be removed again to `remove`. */
  fill(signal: AbortSignal, remove: (file: string) => void): Promise<void> {
    this.#filled ??= this.#unpack(signal, remove);
    return this.#filled;
  }

  async #unpack(signal: AbortSignal, remove: (file: string) => void): Promise<void> {
    const extraction = await this.#extract(this.directory);
    try {
      for await (const chunk of createReadStream(this.#file, { highWaterMark: 1 << 20, signal }))
        await extraction.write(chunk as Buffer);
    } catch (err) {
      await extraction.drop();
      throw err;
    }
    await extraction.finish();
    for (const name of this.#dropped) remove(path.join(this.directory, path.join('/', name)));
  }
}

export const clean = (name: string): string => path.join('/', name).slice(1);

/** Fills the index while the archive goes by. */
class IndexSink {
  readonly #index: ContentIndex;
  readonly #keep: ReadonlySet<string>;
  readonly #texts: Map<string, string>;
  #entry: TarEntry | undefined;
  #hash: Hash | undefined;
  #written = 0;
  #kept: Buffer[] | undefined;

  constructor(index: ContentIndex, keep: ReadonlySet<string>, texts: Map<string, string>) {
    this.#index = index;
    this.#keep = keep;
    this.#texts = texts;
  }

  entry(entry: TarEntry): void {
    this.#entry = entry;
    this.#written = 0;
    this.#hash = entry.type === 'file' ? createHash('sha256') : undefined;
    this.#kept = this.#keep.has(clean(entry.path)) ? [] : undefined;
    if (this.#kept !== undefined && entry.size > maxTextBytes)
      throw new InvalidArgument(`${entry.path} is larger than ${maxTextBytes} bytes`);
  }

  data(bytes: Buffer, offset: number): void {
    if (offset > this.#written) this.#hole(offset - this.#written);
    this.#hash?.update(bytes);
    this.#kept?.push(Buffer.from(bytes));
    this.#written = offset + bytes.length;
  }

  end(): void {
    const entry = this.#entry!;
    if (entry.size > this.#written) this.#hole(entry.size - this.#written);
    this.#index.add(entry, this.#hash?.digest('hex') ?? '');
    if (this.#kept !== undefined && entry.type === 'file')
      this.#texts.set(clean(entry.path), Buffer.concat(this.#kept).toString('utf8'));
  }

  /** Of a sparse file. */
  #hole(bytes: number): void {
    const zeros = Buffer.alloc(Math.min(bytes, 1 << 20));
    for (let left = bytes; left > 0; left -= zeros.length) this.#hash?.update(zeros.subarray(0, left));
  }
}
