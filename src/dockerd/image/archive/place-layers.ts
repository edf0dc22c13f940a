// Gives staged layers their places: which blob they are, and whose snapshot.

import type { ContentStore, Snapshotter, Unpacker } from '../../../containerd/index.ts';
import { DataLoss, NotFound } from '../../../errdefs/index.ts';
import { chainId, type Descriptor, type Digest, type ImageConfig, mediaTypes } from '../../../oci/index.ts';
import type { Archive, ArchiveFile } from './archive-reader.ts';

export interface LoadStore {
  readonly content: ContentStore;
  readonly unpacker: Unpacker;
  readonly snapshotter: Snapshotter;
}

/** Layers that have their place: one staged layer may be wanted by several images of the archive. */
export type Placed = Map<ArchiveFile, Descriptor>;

/**
 * Makes the layers of one image visible, lowest first, each verified against what the config says of it. A layer that another
 * image of the archive has placed already is unpacked from its blob when a container needs it.
 */
export async function placeLayers(
  archive: Archive,
  store: LoadStore,
  config: ImageConfig,
  layers: readonly { readonly path: string; readonly descriptor?: Descriptor }[],
  placed: Placed,
  unpack: boolean,
): Promise<Descriptor[]> {
  const { diff_ids: diffIds } = config.rootfs;
  if (diffIds.length !== layers.length) {
    throw new DataLoss(`invalid image: the config names ${diffIds.length} layers, the manifest ${layers.length}`);
  }
  const descriptors: Descriptor[] = [];
  /** Whether the layers so far are snapshots, so that the next one can go on top. */
  let unpacked = unpack;
  for (const [i, { path, descriptor }] of layers.entries()) {
    const file = archive.resolve(path);
    const before = file && placed.get(file);
    if (before !== undefined) {
      descriptors.push(before);
      unpacked &&= await store.unpacker.exists(chainId(diffIds.slice(0, i + 1)));
      continue;
    }
    if (file?.kind !== 'layer') {
      if (descriptor === undefined || (await store.content.info(descriptor.digest)) === undefined) {
        throw new NotFound(`invalid image: layer "${path}" is not in the archive`);
      }
      descriptors.push(descriptor);
      unpacked &&= await store.unpacker.exists(chainId(diffIds.slice(0, i + 1)));
      continue;
    }
    const { layer } = file;
    if (descriptor !== undefined && layer.digest !== descriptor.digest) {
      throw new DataLoss(`layer "${path}" has digest ${layer.digest}, not ${descriptor.digest}`);
    }
    if (layer.diffId !== diffIds[i]) {
      throw new DataLoss(`layer "${path}" has diff id ${layer.diffId}, the config says ${diffIds[i]}`);
    }
    const parent = i === 0 ? undefined : chainId(diffIds.slice(0, i));
    if (unpacked) {
      await layer.commit({ chainId: chainId(diffIds.slice(0, i + 1)), ...(parent !== undefined && { parent }) });
    } else {
      await layer.commitBlob();
    }
    const found = descriptor ?? layerDescriptor(layer);
    placed.set(file, found);
    descriptors.push(found);
  }
  return descriptors;
}

/** Compressed where its bytes are not those of the diff id. */
const layerDescriptor = (layer: { digest: Digest; diffId: Digest; size: number }): Descriptor => ({
  mediaType: layer.digest === layer.diffId ? mediaTypes.dockerLayer : mediaTypes.dockerLayerGzip,
  digest: layer.digest,
  size: layer.size,
});
