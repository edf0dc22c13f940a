// What pull and push need from the store below, stated as narrowly as they use it. containerd's content store and unpacker fit
// structurally; the tests bring a small one of files.

import type { Descriptor, Digest } from '../oci/index.ts';

export interface BlobInfo {
  readonly size: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * One blob being written. Not concurrent: each call is awaited before the next. Ends with exactly one of `commit` and `close`.
 */
export interface BlobWriter {
  /** Bytes that are already there, by an earlier try or by `write`; the next byte written goes here. */
  readonly offset: number;
  /** Takes the chunk (the caller does not touch it again). Resolves when the writer wants more: this is the back-pressure. */
  write(chunk: Uint8Array): Promise<void>;
  /** Verifies size and digest and makes the blob visible. On a mismatch: DataLoss, and what was written is dropped. */
  commit(): Promise<void>;
  /** Gives up for now, keeping what is there so that a later writer of the same ref resumes. */
  close(): Promise<void>;
}

/** The content store, as far as registries go. */
export interface BlobStore {
  /** Undefined when the blob is not there. */
  info(digest: Digest): Promise<BlobInfo | undefined>;
  /** Opens or resumes the ingest `ref`. AlreadyExists when the blob is there. Labels are the blob's from its commit on. */
  writer(options: {
    ref: string;
    expected: { digest: Digest; size: number };
    labels?: Readonly<Record<string, string>>;
  }): Promise<BlobWriter>;
  /** The whole blob; NotFound when it is not there, ResourceExhausted beyond `maxBytes`. */
  readBlob(digest: Digest, maxBytes: number): Promise<Uint8Array>;
  /** Stores a small blob. Succeeds when it is there already. */
  writeBlob(bytes: Uint8Array, options?: { labels?: Readonly<Record<string, string>> }): Promise<unknown>;
  /** Adds labels to a blob that is there. */
  label?(digest: Digest, labels: Readonly<Record<string, string>>): Promise<void>;
}

/** Reading side, for push: the blob's bytes from `start` on, in chunks. */
export interface BlobReader {
  info(digest: Digest): Promise<BlobInfo | undefined>;
  readBlob(digest: Digest, maxBytes: number): Promise<Uint8Array>;
  read(digest: Digest, options?: { start?: number; signal?: AbortSignal }): AsyncIterable<Uint8Array>;
  label?(digest: Digest, labels: Readonly<Record<string, string>>): Promise<void>;
}

/** One layer of an image, with its place among the others. */
export interface LayerPlace {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  /** Of this layer and all below. */
  readonly chainId: Digest;
  /** Chain id of the layer below; absent for the lowest. */
  readonly parent?: Digest;
}

/**
 * A layer being written and unpacked in one pass: its blob goes to the content store, its files to a snapshot.
 * `commit` verifies size, digest and diff id (DataLoss on a mismatch, all is dropped), then commits the snapshot, waiting for
 * the parent's commit where that is still on its way.
 */
export interface LayerWriter extends BlobWriter {
  /** Why unpacking cannot go on, as soon as it is known; `write` rejects with the same. */
  readonly failed?: Promise<never>;
}

/** Unpacks layers; several at once, also of one image: a layer's files do not depend on those below. */
export interface Unpacker {
  /** Whether the snapshot is there, committed. */
  exists(chainId: Digest): Promise<boolean>;
  /** Starts a layer, or resumes what an earlier try left. Where the blob is already in the store, `offset` is its size and nothing is to be written. AlreadyExists when the snapshot is there too. */
  layer(
    place: LayerPlace,
    options: { ref: string; labels?: Readonly<Record<string, string>>; signal?: AbortSignal },
  ): Promise<LayerWriter>;
}

export interface PullStore {
  readonly content: BlobStore;
  /** Without one, blobs are only stored (as for another platform). */
  readonly unpacker?: Unpacker;
}
