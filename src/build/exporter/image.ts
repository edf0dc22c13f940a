// The image that a build comes to: config, manifest and, for several platforms, index, in the content store.

import type { ContentStore } from '../../containerd/index.ts';
import { type Descriptor, type Digest, type ImageConfig, mediaTypes, type Platform } from '../../oci/index.ts';
import type { Ref } from '../solver/ref.ts';

export interface BuiltImage {
  readonly config: Omit<ImageConfig, 'rootfs'>;
  readonly ref: Ref;
}

export interface WrittenImage {
  readonly manifest: Descriptor;
  readonly configDigest: Digest;
}

/** Writes config and manifest; `created` is that of the image and of history entries that have none. */
export async function writeImage(content: ContentStore, image: BuiltImage, created: Date): Promise<WrittenImage> {
  const time = created.toISOString().replace(/\.000Z$/, 'Z');
  const { history = [], ...rest } = image.config;
  const config: ImageConfig = {
    ...rest,
    created: time,
    rootfs: { type: 'layers', diff_ids: image.ref.layers.map(layer => layer.diffId) },
    history: fitHistory(history, image.ref.layers.length).map(entry => ({ created: time, ...entry })),
  };
  const configBlob = await content.writeBlob(Buffer.from(JSON.stringify(config)));
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: configBlob.digest, size: configBlob.size },
    layers: image.ref.layers.map(layer => layer.descriptor),
  };
  const manifestBlob = await content.writeBlob(Buffer.from(JSON.stringify(manifest)), {
    labels: gcLabels([configBlob.digest, ...manifest.layers.map(layer => layer.digest)]),
  });
  const platform: Platform = {
    os: config.os,
    architecture: config.architecture,
    ...(config.variant !== undefined && { variant: config.variant }),
  };
  return {
    manifest: { mediaType: mediaTypes.ociManifest, digest: manifestBlob.digest, size: manifestBlob.size, platform },
    configDigest: configBlob.digest,
  };
}

/** An index over manifests of several platforms. */
export async function writeIndex(content: ContentStore, manifests: readonly Descriptor[]): Promise<Descriptor> {
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  const blob = await content.writeBlob(Buffer.from(JSON.stringify(index)), {
    labels: gcLabels(manifests.map(manifest => manifest.digest)),
  });
  return { mediaType: mediaTypes.ociIndex, digest: blob.digest, size: blob.size };
}

/** Entries with a layer must be as many as the layers (image-spec config.md): a step that changed nothing has none. */
function fitHistory(history: NonNullable<ImageConfig['history']>, layers: number): NonNullable<ImageConfig['history']> {
  const withLayer = history.filter(entry => !entry.empty_layer).length;
  let surplus = withLayer - layers;
  if (surplus <= 0) return history;
  // The latest ones are this build's own.
  return history
    .toReversed()
    .map(entry => {
      if (surplus === 0 || entry.empty_layer) return entry;
      surplus--;
      return { ...entry, empty_layer: true };
    })
    .toReversed();
}

/** containerd's references for its garbage collector (docs/garbage-collection.md). */
const gcLabels = (digests: readonly string[]): Record<string, string> =>
  Object.fromEntries(digests.map((digest, i) => [`containerd.io/gc.ref.content.${i}`, digest]));
