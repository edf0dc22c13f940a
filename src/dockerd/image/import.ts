// POST /images/create?fromSrc= (moby daemon/containerd/image_import.go): a root file system becomes an image of one layer.

import { InvalidArgument } from '../../errdefs/index.ts';
import {
  type Descriptor,
  type Digest,
  digestOf,
  hostPlatform,
  type ImageConfig,
  type ImageRunConfig,
  mediaTypes,
  type Platform,
} from '../../oci/index.ts';
import { familiarString, formatReference } from '../../registry/index.ts';
import type { ImageDeps } from './deps.ts';
import { danglingName } from './names.ts';
import { nameTarget } from './naming.ts';
import type { Output } from './progress.ts';
import { newName } from './tag.ts';

export interface ImportRequest {
  /** The root file system's archive: plain, gzip or zstd. */
  readonly archive: AsyncIterable<Uint8Array>;
  readonly repo: string;
  readonly tag: string;
  readonly message: string;
  /** What the image's containers run by default: from the `changes` of the call. */
  readonly config: ImageRunConfig;
  readonly platform?: Platform;
  readonly signal?: AbortSignal;
}

export async function importImage(deps: ImageDeps, request: ImportRequest, output: Output): Promise<Digest> {
  const { containerd, events } = deps;
  const name = newName(request.repo, request.tag);
  using lease = containerd.leases.create({ labels: { operation: 'import' } });
  const store = containerd.leased(lease.id);
  const writer = await store.unpacker.stage({});
  let empty = true;
  try {
    for await (const chunk of request.archive) {
      request.signal?.throwIfAborted();
      empty = false;
      await writer.write(chunk);
    }
    if (empty) throw new InvalidArgument('Error processing tar file: the archive is empty');
  } catch (err) {
    await writer.drop();
    throw err;
  }
  const layer = await writer.finish();
  await layer.commit({ chainId: layer.diffId });
  const created = new Date().toISOString();
  const { variant: _, ...platform } = hostPlatform();
  const config: ImageConfig = {
    created,
    ...platform,
    ...request.platform,
    config: request.config,
    rootfs: { type: 'layers', diff_ids: [layer.diffId] },
    history: [{ created, comment: request.message }],
  };
  const target = await writeImage(store.content, config, [
    {
      mediaType: layer.digest === layer.diffId ? mediaTypes.ociLayer : mediaTypes.ociLayerGzip,
      digest: layer.digest,
      size: layer.size,
    },
  ]);
  nameTarget(containerd, name === undefined ? danglingName(target.digest) : formatReference(name), target);
  deps.stored?.();
  output({ status: target.digest });
  events.publish('image', 'import', target.digest, { name: name === undefined ? target.digest : familiarString(name) });
  return target.digest;
}

/** Stores config and manifest of a new image; answers the manifest's descriptor. */
export async function writeImage(
  content: { writeBlob(bytes: Uint8Array): Promise<{ digest: Digest; size: number }> },
  config: ImageConfig,
  layers: readonly Descriptor[],
): Promise<Descriptor> {
  const stored = await content.writeBlob(Buffer.from(JSON.stringify(config)));
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: stored.digest, size: stored.size },
    layers,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await content.writeBlob(bytes);
  return { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length };
}
