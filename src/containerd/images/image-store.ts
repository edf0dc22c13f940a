// Names of images: a name points at a descriptor, the target: an index, or a manifest where there is no index. As containerd's
// core/images/image.go. Nothing here knows what is behind the target.

import type { Descriptor } from '../../oci/index.ts';
import type { Labels } from '../content/content-store.ts';

export interface Image {
  /** A normalised reference (docker.io/library/busybox:latest); names of images without a tag are up to the caller. */
  readonly name: string;
  readonly target: Descriptor;
  readonly labels: Labels;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Synchronous: names are rows of the metadata, and changed in one transaction with what belongs to them. */
export interface ImageStore {
  get(name: string): Image | undefined;
  /** By name. */
  list(): Image[];
  /** Those that point at `digest`. */
  listByTarget(digest: string): Image[];
  /** AlreadyExists when the name is taken. */
  create(image: { name: string; target: Descriptor; labels?: Labels }): Image;
  /** Makes the name point at this target, creating it where needed; answers what it pointed at before. */
  put(image: { name: string; target: Descriptor; labels?: Labels }): Image | undefined;
  /** Whether there was one. What only it referred to is garbage now. */
  delete(name: string): boolean;
}
