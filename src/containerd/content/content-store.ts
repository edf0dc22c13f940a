// The content store: blobs by digest, as containerd's core/content/content.go.
//
//     writer(ref) ── write … write ── commit ──▶ blob (info, read, label, delete)
//         │  ▲
//       close  writer(ref) again resumes
//         ▼
//      ingest (status, abort)

import type { Digest } from '../../oci/index.ts';

/** Labels that others give meaning to: containerd.io/distribution.source.HOST, containerd.io/uncompressed ... */
export type Labels = Readonly<Record<string, string>>;

export interface BlobInfo {
  readonly digest: Digest;
  readonly size: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly labels: Labels;
}

/** An ingest: a blob that is being written, or whose writing was interrupted. */
export interface IngestStatus {
  readonly ref: string;
  /** Bytes on disk. */
  readonly offset: number;
  readonly startedAt: Date;
  readonly updatedAt: Date;
}

export interface WriterOptions {
  /** Names the ingest, so that it can be resumed: `layer-sha256:…`. */
  readonly ref: string;
  /** What commit verifies. */
  readonly expected: { readonly digest: Digest; readonly size: number };
  /** The blob's labels from its commit on. */
  readonly labels?: Labels;
  /** Lease that keeps the blob from its commit on. */
  readonly lease?: string;
}

/** One blob being written. Not concurrent: each call is awaited before the next. Ends with exactly one of `commit` and `close`. */
export interface ContentWriter {
  /** Bytes that are already there, by an earlier try or by `write`; the next byte written goes here. */
  readonly offset: number;
  /** Takes the chunk: the caller does not touch it again. Resolves when the writer wants more. ResourceExhausted when the disk is full. */
  write(chunk: Uint8Array): Promise<void>;
  /** Verifies and makes the blob visible, whole or not at all. DataLoss where digest or size differ from what was expected; the ingest is dropped then. Succeeds when the blob is there already. */
  commit(): Promise<void>;
  /** Gives up for now; what is there is kept for a later writer of the same ref. */
  close(): Promise<void>;
}

export interface ReadOptions {
  readonly start?: number;
  /** Exclusive. */
  readonly end?: number;
  readonly signal?: AbortSignal;
}

/** Random access to one blob. */
export interface ReaderAt {
  readonly size: number;
  /** Bytes read; 0 at the end. */
  readAt(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

export interface ContentStore {
  /** Undefined when the blob is not there. */
  info(digest: Digest): Promise<BlobInfo | undefined>;
  list(): Promise<BlobInfo[]>;
  /** NotFound when the blob is not there. */
  readerAt(digest: Digest): Promise<ReaderAt>;
  /** The blob's bytes, in chunks. NotFound (at the first chunk) when it is not there. */
  read(digest: Digest, options?: ReadOptions): AsyncIterable<Uint8Array>;
  /** The whole of a small blob (manifest, config): NotFound when it is not there, ResourceExhausted beyond `maxBytes` (default 8 MiB). */
  readBlob(digest: Digest, maxBytes?: number): Promise<Uint8Array>;
  /** Opens or resumes an ingest. AlreadyExists when the expected blob is there; Unavailable while another writer holds the ref. */
  writer(options: WriterOptions): Promise<ContentWriter>;
  /** Stores a small blob. Succeeds when it is there already. */
  writeBlob(
    bytes: Uint8Array,
    options?: { labels?: Labels; lease?: string },
  ): Promise<{ digest: Digest; size: number }>;
  /** Adds labels; an empty value removes one. NotFound when the blob is not there. */
  label(digest: Digest, labels: Labels): Promise<void>;
  /** NotFound when the blob is not there. Who deletes makes sure that nothing refers to it: the garbage collector does. */
  delete(digest: Digest): Promise<void>;
  status(ref: string): Promise<IngestStatus | undefined>;
  listStatuses(): Promise<IngestStatus[]>;
  /** Drops an ingest. NotFound when there is none, Unavailable while a writer holds it. */
  abort(ref: string): Promise<void>;
}
