// OCI image layout (image-spec image-layout.md): index.json names the images, everything else is a blob.

import { DataLoss, InvalidArgument, NotFound } from '../../../errdefs/index.ts';
import {
  type Descriptor,
  digestHex,
  digestOf,
  hostPlatform,
  isAttestation,
  isImageConfigType,
  isIndexType,
  isManifestType,
  mediaTypes,
  type Platform,
  parseImageConfig,
  parseManifest,
  platformRank,
} from '../../../oci/index.ts';
import { formatReference, parseReference, withDefaultTag } from '../../../registry/index.ts';
import type { LoadedImage } from '../load.ts';
import { platformOf } from '../manifests.ts';
import type { Archive } from './archive-reader.ts';
import { type LoadStore, type Placed, placeLayers } from './place-layers.ts';

const maxDepth = 4;

interface Import {
  readonly archive: Archive;
  readonly store: LoadStore;
  readonly placed: Placed;
  readonly platforms: readonly Platform[] | undefined;
  readonly done: Set<string>;
}

export async function importOciLayout(
  archive: Archive,
  store: LoadStore,
  platforms: readonly Platform[] | undefined,
): Promise<LoadedImage[]> {
  const file = archive.resolve('index.json');
  if (file?.kind !== 'bytes') throw new NotFound('invalid image: no index.json in the archive');
  const parsed = parseManifest(file.bytes, mediaTypes.ociIndex);
  if (parsed.kind !== 'index') throw new InvalidArgument('invalid image: index.json is no index');
  const job: Import = { archive, store, placed: new Map(), platforms, done: new Set() };
  const byDigest = new Map<string, { target: Descriptor; names: string[] }>();
  for (const descriptor of parsed.index.manifests) {
    if (!(await importDescriptor(job, descriptor, 0))) {
      throw new NotFound(`invalid image: manifest ${descriptor.digest} is not in the archive`);
    }
    const image = byDigest.get(descriptor.digest) ?? { target: plain(descriptor), names: [] };
    byDigest.set(descriptor.digest, image);
    const name = nameOf(descriptor);
    if (name !== undefined && !image.names.includes(name)) image.names.push(name);
  }
  return [...byDigest.values()];
}

const plain = ({ mediaType, digest, size }: Descriptor): Descriptor => ({ mediaType, digest, size });

function nameOf(descriptor: Descriptor): string | undefined {
  const full = descriptor.annotations?.['io.containerd.image.name'];
  const text = full ?? descriptor.annotations?.['org.opencontainers.image.ref.name'];
  if (text === undefined) return undefined;
  // A ref name that is only a tag names nothing.
  if (full === undefined && !/[/:@]/.test(text)) return undefined;
  const reference = parseReference(text);
  return reference.digest === undefined ? formatReference(withDefaultTag(reference)) : undefined;
}

/** Stores a manifest or index with what it refers to; false where the archive lacks it, as it may lack other platforms. */
async function importDescriptor(job: Import, descriptor: Descriptor, depth: number): Promise<boolean> {
  if (job.done.has(descriptor.digest)) return true;
  const bytes = await document(job, descriptor);
  if (bytes === undefined) return false;
  if (!isIndexType(descriptor.mediaType) && !isManifestType(descriptor.mediaType)) {
    throw new InvalidArgument(`invalid image: media type "${descriptor.mediaType}" in index.json`);
  }
  const parsed = parseManifest(bytes, descriptor.mediaType);
  if (parsed.kind === 'index') {
    if (depth >= maxDepth) throw new InvalidArgument('invalid image: indexes are nested too deeply');
    let found = false;
    for (const entry of parsed.index.manifests) {
      if (!isWanted(job, entry)) continue;
      found = (await importDescriptor(job, entry, depth + 1)) || found;
    }
    if (!found) throw new NotFound(`invalid image: none of the manifests of ${descriptor.digest} is in the archive`);
  } else {
    await importManifest(job, descriptor, parsed.manifest);
  }
  await job.store.content.writeBlob(bytes);
  job.done.add(descriptor.digest);
  return true;
}

const isWanted = ({ platforms }: Import, entry: Descriptor): boolean =>
  platforms === undefined ||
  isAttestation(entry) ||
  entry.platform === undefined ||
  platforms.some(wanted => platformRank(wanted, entry.platform!) === 0);

async function importManifest(
  job: Import,
  descriptor: Descriptor,
  manifest: { readonly config: Descriptor; readonly layers: readonly Descriptor[] },
): Promise<void> {
  const configBytes = await document(job, manifest.config);
  if (configBytes === undefined)
    throw new NotFound(`invalid image: config ${manifest.config.digest} is not in the archive`);
  if (isImageConfigType(manifest.config.mediaType) && !isAttestation(descriptor)) {
    const config = parseImageConfig(configBytes);
    const layers = manifest.layers.map(layer => ({ path: pathOf(layer), descriptor: layer }));
    const fits = platformRank(hostPlatform(), platformOf(config)) !== undefined;
    await placeLayers(job.archive, job.store, config, layers, job.placed, fits);
  } else {
    for (const layer of manifest.layers) await storeOther(job, layer);
  }
  await job.store.content.writeBlob(configBytes);
}

/** A layer of an artifact: any bytes. */
async function storeOther(job: Import, descriptor: Descriptor): Promise<void> {
  const file = job.archive.resolve(pathOf(descriptor));
  if (file?.kind === 'layer') {
    if (job.placed.has(file)) return;
    if (file.layer.digest !== descriptor.digest) throw wrongDigest(descriptor, file.layer.digest);
    await file.layer.commitBlob();
    job.placed.set(file, descriptor);
    return;
  }
  const bytes = await document(job, descriptor);
  if (bytes === undefined) throw new NotFound(`invalid image: blob ${descriptor.digest} is not in the archive`);
  await job.store.content.writeBlob(bytes);
}

/** A small blob, verified: from the archive, else from the store. */
async function document({ archive, store }: Import, descriptor: Descriptor): Promise<Uint8Array | undefined> {
  const file = archive.resolve(pathOf(descriptor));
  if (file?.kind === 'bytes') {
    const digest = digestOf(file.bytes);
    if (digest !== descriptor.digest) throw wrongDigest(descriptor, digest);
    return file.bytes;
  }
  if ((await store.content.info(descriptor.digest)) === undefined) return undefined;
  return store.content.readBlob(descriptor.digest);
}

const pathOf = (descriptor: Descriptor): string => `blobs/sha256/${digestHex(descriptor.digest)}`;

const wrongDigest = (descriptor: Descriptor, got: string) =>
  new DataLoss(`blob ${descriptor.digest} in the archive has digest ${got}`);
