import { renameSync, statSync } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import {
  AlreadyExists,
  codeOf,
  EngineError,
  NotFound,
  ResourceExhausted,
  Unavailable,
} from '../../../errdefs/index.ts';
import { type Digest, digestOf } from '../../../oci/index.ts';
import { crashPoint } from '../../crash-point.ts';
import { defaultLimits } from '../../differ/apply/limits.ts';
import type { RemoteSession, WorkerPool } from '../../differ/worker/pool.ts';
import type { Database } from '../../metadata/database.ts';
import type { Trash } from '../../trash.ts';
import type {
  BlobInfo,
  ContentStore,
  ContentWriter,
  IngestStatus,
  Labels,
  ReaderAt,
  ReadOptions,
  WriterOptions,
} from '../content-store.ts';
import { BlobFiles } from './blob-files.ts';
import { BlobRows } from './blob-rows.ts';

const readChunkBytes = 256 * 1024;

/** Begins the refs of ingests that nobody will resume: they end with the process. */
export const oncePrefix = 'once-';

/** Blobs as files, what is known of them as rows; digests are computed in worker threads. */
export class LocalContentStore implements ContentStore {
  readonly #files: BlobFiles;
  readonly #rows: BlobRows;
  readonly #workers: WorkerPool;
  readonly #trash: Trash;
  /** Refs with a writer: an ingest has one at a time. */
  readonly #writing = new Set<string>();

  constructor(root: string, database: Database, workers: WorkerPool, trash: Trash) {
    this.#trash = trash;
    this.#files = new BlobFiles(root);
    this.#rows = new BlobRows(database);
    this.#workers = workers;
    this.#recover();
  }

  /** After a crash: a file without a row was committed but not recorded yet, and is whole; a row without a file has lost it. */
  #recover(): void {
    const files = new Set<string>(this.#files.list());
    for (const { digest } of this.#rows.list()) {
      if (!files.delete(digest)) this.#rows.delete(digest);
    }
    for (const digest of files) this.#rows.insert(digest, statSync(this.#files.blob(digest as Digest)).size);
    this.#files.dropNameless();
    for (const { ref } of this.#files.listIngests()) if (ref.startsWith(oncePrefix)) this.#files.dropIngest(ref);
  }

  async info(digest: Digest): Promise<BlobInfo | undefined> {
    return this.#rows.get(digest);
  }

  async list(): Promise<BlobInfo[]> {
    return this.#rows.list();
  }

  async readerAt(digest: Digest): Promise<ReaderAt> {
    const { size } = this.#require(digest);
    const file = await this.#open(digest);
    return {
      size,
      readAt: async (into, position) => (await file.read(into, 0, into.byteLength, position)).bytesRead,
      close: () => file.close(),
    };
  }

  async *read(digest: Digest, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    const { size } = this.#require(digest);
    const end = Math.min(options.end ?? size, size);
    const file = await this.#open(digest);
    const readAt = async (at: number): Promise<Uint8Array> => {
      const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(readChunkBytes, end - at)));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      return buffer.subarray(0, bytesRead);
    };
    let at = options.start ?? 0;
    let ahead = readAt(at);
    try {
      while (at < end) {
        options.signal?.throwIfAborted();
        const bytes = await ahead;
        if (bytes.length === 0) return;
        at += bytes.length;
        // The next piece is read while the reader sends this one.
        ahead = readAt(at);
        yield bytes;
      }
    } finally {
      await ahead.catch(() => {});
      await file.close();
    }
  }

  async readBlob(digest: Digest, maxBytes = 8 << 20): Promise<Uint8Array> {
    const { size } = this.#require(digest);
    if (size > maxBytes) throw new ResourceExhausted(`blob ${digest} has ${size} bytes, more than ${maxBytes}`);
    return readFile(this.#files.blob(digest));
  }

  async writer(options: WriterOptions): Promise<ContentWriter> {
    const { ref, expected } = options;
    if (this.#rows.get(expected.digest) !== undefined) {
      if (options.lease !== undefined) this.#rows.hold(expected.digest, options.lease);
      throw new AlreadyExists(`content ${expected.digest} already exists`);
    }
    const ingest = this.claim(ref);
    try {
      const session = await this.#workers.open({ ingest, expected, limits: defaultLimits });
      return this.#toWriter(session, options);
    } catch (err) {
      this.release(ref);
      throw err;
    }
  }

  #toWriter(session: RemoteSession, { ref, expected, labels, lease }: WriterOptions): ContentWriter {
    return {
      get offset() {
        return session.offset;
      },
      write: bytes => session.write(bytes),
      commit: async () => {
        try {
          await session.end();
          this.publish(ref, expected.digest, expected.size, labels, lease);
        } catch (err) {
          if (isFalseContent(err)) this.#files.dropIngest(ref);
          throw err;
        } finally {
          this.release(ref);
        }
      },
      close: async () => {
        await session.close();
        this.release(ref);
      },
    };
  }

  async writeBlob(
    bytes: Uint8Array,
    { labels = {}, lease }: { labels?: Labels; lease?: string } = {},
  ): Promise<{ digest: Digest; size: number }> {
    const digest = digestOf(bytes);
    const size = bytes.byteLength;
    if (this.#rows.get(digest) !== undefined) {
      this.#rows.insert(digest, size, labels, lease);
      return { digest, size };
    }
    const ref = `${oncePrefix}blob-${digest}-${Math.random()}`;
    const path = this.claim(ref);
    try {
      const file = await open(path, 'w', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      this.publish(ref, digest, size, labels, lease);
    } catch (err) {
      this.#files.dropIngest(ref);
      throw err;
    } finally {
      this.release(ref);
    }
    return { digest, size };
  }

  async label(digest: Digest, labels: Labels): Promise<void> {
    if (!this.#rows.label(digest, labels)) throw notFound(digest);
  }

  async delete(digest: Digest): Promise<void> {
    if (!this.#rows.delete(digest)) throw notFound(digest);
    crashPoint('content.delete.row');
    this.deleteFile(digest);
  }

  async status(ref: string): Promise<IngestStatus | undefined> {
    return this.#files.ingestStatus(ref);
  }

  async listStatuses(): Promise<IngestStatus[]> {
    return this.#files.listIngests();
  }

  async abort(ref: string): Promise<void> {
    if (this.#writing.has(ref)) throw new Unavailable(`ingest "${ref}" is being written`);
    if (this.#files.ingestStatus(ref) === undefined) throw new NotFound(`ingest "${ref}" not found`);
    this.#files.dropIngest(ref);
  }

  // What follows is for the unpacker and the garbage collector, which share the store's insides.

  /** Path of a blob's file. */
  path(digest: Digest): string {
    return this.#files.blob(digest);
  }

  /** Takes the ref for one writer and answers the ingest's data file. */
  claim(ref: string): string {
    if (this.#writing.has(ref)) throw new Unavailable(`ingest "${ref}" is being written`);
    this.#writing.add(ref);
    return this.#files.openIngest(ref);
  }

  /** The data file of a claimed ingest. */
  ingest(ref: string): string {
    return this.#files.openIngest(ref);
  }

  listIngests(): IngestStatus[] {
    return this.#files.listIngests();
  }

  isWriting(ref: string): boolean {
    return this.#writing.has(ref);
  }

  release(ref: string): void {
    this.#writing.delete(ref);
  }

  drop(ref: string): void {
    this.#files.dropIngest(ref);
  }

  /** A verified ingest becomes the blob. */
  publish(ref: string, digest: Digest, size: number, labels: Labels | undefined, lease: string | undefined): void {
    crashPoint('content.commit.verified');
    renameSync(this.#files.openIngest(ref), this.#files.blob(digest));
    crashPoint('content.commit.renamed');
    this.#rows.insert(digest, size, labels, lease);
    crashPoint('content.commit.recorded');
    this.#files.dropIngest(ref);
  }

  /** Keeps a blob by a lease; whether it is there. */
  hold(digest: string, lease: string): boolean {
    if (this.#rows.get(digest) === undefined) return false;
    this.#rows.hold(digest, lease);
    return true;
  }

  /** Only while no row says that the blob is there: it may have come anew meanwhile. */
  deleteFile(digest: Digest): void {
    if (this.#rows.get(digest) !== undefined) return;
    // Renamed, not unlinked: freeing the blocks of a large file takes long.
    this.#trash.take(this.#files.blob(digest));
    this.#trash.empty();
  }

  get rows(): BlobRows {
    return this.#rows;
  }

  #require(digest: Digest): BlobInfo {
    const info = this.#rows.get(digest);
    if (info === undefined) throw notFound(digest);
    return info;
  }

  async #open(digest: Digest): Promise<FileHandle> {
    try {
      return await open(this.#files.blob(digest), 'r');
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code === 'ENOENT') throw notFound(digest, err);
      throw err;
    }
  }
}

/** Whether the bytes themselves are wrong, so that resuming them would be of no use. */
export const isFalseContent = (err: unknown): boolean =>
  ['DataLoss', 'InvalidArgument', 'ResourceExhausted', 'NotImplemented'].includes(codeOf(err)) &&
  err instanceof EngineError;

const notFound = (digest: string, cause?: unknown) =>
  new NotFound(`content ${digest}: not found`, cause === undefined ? {} : { cause });
