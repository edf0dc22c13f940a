// The image that a build comes to: config, manifest and, for several platforms, index, in the content store.

import type { ContentStore } from '../../containerd/index.ts';
import { type Descriptor, type Digest, type ImageConfig, mediaTypes, type Platform } from '../../oci/index.ts';
import { type InlineCacheEntry, inlineCacheKey } from '../solver/inline-cache.ts';
import type { Ref } from '../solver/ref.ts';

export interface BuiltImage {
  readonly config: Omit<ImageConfig, 'rootfs'>;
  readonly ref: Ref;
}

export interface WrittenImage {
  readonly manifest: Descriptor;
  readonly configDigest: Digest;
}

/** Writes config and manifest. With `epoch` all that this build made is of that time; else its layers' times decide, so that what comes from the cache is the same image again. */
export async function writeImage(
  content: ContentStore,
  image: BuiltImage,
  epoch?: Date,
  cache?: readonly InlineCacheEntry[],
): Promise<WrittenImage> {
  const { history: given = [], ...rest } = image.config;
  const history = withTimes(fitHistory(given, image.ref.layers.length), image.ref, epoch);
  const time = history.findLast(entry => entry.created !== undefined)?.created ?? iso(epoch ?? new Date());
  const config: ImageConfig = {
    ...rest,
    created: time,
    rootfs: { type: 'layers', diff_ids: image.ref.layers.map(layer => layer.diffId) },
    history,
    ...(cache !== undefined && { [inlineCacheKey]: cache }),
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

const iso = (date: Date): string => date.toISOString().replace(/\.000Z$/, 'Z');

/** Entries with a layer are of its time, the others of the layer's before them; before any layer of the build, of its first one's (buildkit exporter/containerimage/writer.go). */
function withTimes(
  history: NonNullable<ImageConfig['history']>,
  ref: Ref,
  epoch: Date | undefined,
): NonNullable<ImageConfig['history']> {
  let layer = 0;
  const timed = history.map(entry => {
    const createdAt = entry.empty_layer ? undefined : ref.layers[layer++]?.createdAt;
    const created = entry.created ?? (createdAt === undefined || epoch === undefined ? createdAt : iso(epoch));
    return created === undefined ? entry : { ...entry, created };
  });
  const firstNew = history.findIndex(entry => entry.created === undefined);
  if (firstNew === -1) return timed;
  const known = timed.slice(firstNew).find(entry => entry.created !== undefined) ?? timed[firstNew - 1];
  let last = epoch === undefined ? (known?.created ?? iso(new Date(0))) : iso(epoch);
  return timed.map((entry, i) => {
    if (entry.created === undefined) return { ...entry, created: last };
    if (i >= firstNew) last = entry.created;
    return entry;
  });
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
