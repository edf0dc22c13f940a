// The result of a vertex: a file system, as a chain of layers that are in the content store and unpacked.

import { chainId, type Descriptor, type Digest } from '../../oci/index.ts';

export interface RefLayer {
  /** The blob, as pushed and saved. */
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  /** When a build made it, ISO 8601; absent in layers of base images, whose history says so itself. */
  readonly createdAt?: string;
}

/** A file system made of layers, lowest first; none is the empty one. Equal chains are the same file system, whoever made them. */
export interface Ref {
  readonly layers: readonly RefLayer[];
}

/** Name of the committed snapshot; '' for the empty file system. */
export function snapshotOf(ref: Ref): Digest | '' {
  return ref.layers.length === 0 ? '' : chainId(ref.layers.map(layer => layer.diffId));
}

export const emptyRef: Ref = { layers: [] };
