// Manifests, indexes and configs from the content store, parsed once: a blob never changes, so what was read stays true.

import { isNotFound } from '../../errdefs/index.ts';
import {
  type Descriptor,
  type ImageConfig,
  isImageConfigType,
  isIndexType,
  isManifestType,
  type ParsedManifest,
  parseImageConfig,
  parseManifest,
} from '../../oci/index.ts';
import type { ContentStore } from '../content/content-store.ts';

/** `other` is a blob that refers to nothing that we know of. */
export type ImageDocument =
  | ParsedManifest
  | { readonly kind: 'config'; readonly config: ImageConfig; readonly bytes: Uint8Array }
  | { readonly kind: 'other' };

const maxKept = 2000;

export class ImageDocuments {
  readonly #content: ContentStore;
  readonly #kept = new Map<string, ImageDocument>();

  constructor(content: ContentStore) {
    this.#content = content;
  }

  /** What was read before. */
  cached(descriptor: Descriptor): ImageDocument | undefined {
    return isDocument(descriptor) ? this.#kept.get(descriptor.digest) : { kind: 'other' };
  }

  /** Undefined where the blob is not in the store; InvalidArgument where it is not what its media type says. */
  async load(descriptor: Descriptor): Promise<ImageDocument | undefined> {
    const known = this.cached(descriptor);
    if (known !== undefined) return known;
    let bytes: Uint8Array;
    try {
      bytes = await this.#content.readBlob(descriptor.digest);
    } catch (err) {
      if (isNotFound(err)) return undefined;
      throw err;
    }
    const document: ImageDocument = isImageConfigType(descriptor.mediaType)
      ? { kind: 'config', config: parseImageConfig(bytes), bytes }
      : parseManifest(bytes, descriptor.mediaType);
    if (this.#kept.size >= maxKept) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(descriptor.digest, document);
    return document;
  }
}

const isDocument = ({ mediaType }: Descriptor): boolean =>
  isIndexType(mediaType) || isManifestType(mediaType) || isImageConfigType(mediaType);
