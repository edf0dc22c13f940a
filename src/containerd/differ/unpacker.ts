// The unpacker: a compressed layer in, a blob in the content store and a committed snapshot out, in one pass over the bytes.
//
//     chunk ──▶ sha256 (digest) ──▶ ingest file
//           └─▶ gunzip / zstd   ──▶ sha256 (diff id)
//                               └─▶ untar into the layer's own directory
//
// Layers do not depend on those below while they are unpacked, so those of an image are unpacked at once. Only the commit waits
// for the parent's: what an archive leaves to the layers below (parent directories without an entry of their own, hard links to
// files of a lower layer) is taken from there then.

import type { Descriptor, Digest } from '../../oci/index.ts';
import type { ContentWriter, Labels } from '../content/content-store.ts';
import type { Usage } from '../snapshots/snapshotter.ts';

/** One layer of an image, with its place among the others. */
export interface LayerPlace {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  /** Of this layer and all below: the name of its snapshot. */
  readonly chainId: Digest;
  /** Chain id of the layer below; absent for the lowest. */
  readonly parent?: Digest;
}

export interface LayerOptions {
  /** Names the ingest, so that it can be resumed. */
  readonly ref: string;
  readonly labels?: Labels;
  readonly lease?: string;
  readonly signal?: AbortSignal;
}

/** A layer being written and unpacked. `commit` verifies size, digest and diff id (DataLoss on a mismatch: all is dropped), then commits the snapshot, waiting for the parent's commit where that is still on its way. */
export interface LayerWriter extends ContentWriter {
  /** Rejects as soon as it is known that unpacking cannot go on (a damaged or hostile archive); `write` rejects with the same. */
  readonly failed: Promise<never>;
  /** Uncompressed bytes unpacked so far. */
  readonly unpackedBytes: number;
}

/** What became of a layer whose place was not known while it was written. */
export interface StagedLayer {
  readonly digest: Digest;
  readonly size: number;
  readonly diffId: Digest;
  readonly usage: Usage;
  /** Makes blob and snapshot visible. */
  commit(place: { readonly chainId: Digest; readonly parent?: Digest }): Promise<void>;
  /** Makes only the blob visible. */
  commitBlob(): Promise<void>;
  /** Drops what was not committed. */
  drop(): Promise<void>;
}

/** A layer whose digest and place are only known at its end, or later: `docker load`. */
export interface StagedLayerWriter {
  write(chunk: Uint8Array): Promise<void>;
  finish(): Promise<StagedLayer>;
  drop(): Promise<void>;
}

export interface Unpacker {
  /** Whether the snapshot is there, committed. */
  exists(chainId: Digest): Promise<boolean>;
  /**
   * Starts a layer, or resumes what an earlier try left: `offset` bytes are there already. Where the blob is in the store,
   * `offset` is its size and nothing is to be written. AlreadyExists when the snapshot is there too.
   */
  layer(place: LayerPlace, options: LayerOptions): Promise<LayerWriter>;
  stage(options: { readonly lease?: string; readonly labels?: Labels }): Promise<StagedLayerWriter>;
}
