// POST /commit (moby daemon/containerd/image_commit.go): a container's changes become a layer on top of its image.

import { isAlreadyExists } from '../../errdefs/index.ts';
import {
  chainId,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type ImageRunConfig,
  mediaTypes,
  parseDigest,
} from '../../oci/index.ts';
import { formatReference } from '../../registry/index.ts';
import type { ImageDeps } from './deps.ts';
import { writeImage } from './import.ts';
import { requireManifest } from './manifests.ts';
import { danglingName } from './names.ts';
import { nameTarget } from './naming.ts';
import { newName } from './tag.ts';

export interface CommitRequest {
  /** Of the container; its snapshot has the same key. Nothing may run in it meanwhile: the caller pauses it. */
  readonly containerId: string;
  /** What it was made from. */
  readonly imageId: string;
  readonly repo: string;
  readonly tag: string;
  readonly author: string;
  readonly comment: string;
  /** Of the new image, changes applied. */
  readonly config: ImageRunConfig;
  /** The container's command, for the history. */
  readonly command: readonly string[];
}

/** Answers the new image's id. */
export async function commitContainer(deps: ImageDeps, request: CommitRequest): Promise<Digest> {
  const { containerd } = deps;
  const name = newName(request.repo, request.tag);
  using lease = containerd.leases.create({ labels: { operation: 'commit' } });
  const store = containerd.leased(lease.id);
  const base = await baseOf(deps, request.imageId);
  const layer = await containerd.differ.diff(request.containerId, { lease: lease.id });
  const created = new Date().toISOString();
  const entry = {
    created,
    created_by: request.command.join(' '),
    ...(request.author !== '' && { author: request.author }),
    ...(request.comment !== '' && { comment: request.comment }),
  };
  const changed = layer.entries > 0;
  const { author: _, ...inherited } = base.config;
  const diffIds = [...base.config.rootfs.diff_ids, ...(changed ? [layer.digest] : [])];
  const config: ImageConfig = {
    ...inherited,
    created,
    ...(request.author !== '' && { author: request.author }),
    config: request.config,
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: [...(base.config.history ?? []), { ...entry, ...(!changed && { empty_layer: true }) }],
  };
  const descriptor: Descriptor = { mediaType: mediaTypes.ociLayer, digest: layer.digest, size: layer.size };
  if (changed) await unpackLayer(store.unpacker, descriptor, diffIds);
  const target = await writeImage(store.content, config, [...base.layers, ...(changed ? [descriptor] : [])]);
  nameTarget(containerd, name === undefined ? danglingName(target.digest) : formatReference(name), target);
  return target.digest;
}

async function baseOf(
  { containerd }: ImageDeps,
  imageId: string,
): Promise<{ config: ImageConfig; layers: readonly Descriptor[] }> {
  const [image] = containerd.images.listByTarget(parseDigest(imageId));
  const target = image?.target ?? { mediaType: mediaTypes.ociManifest, digest: parseDigest(imageId), size: 0 };
  const { config, manifest } = await requireManifest(containerd, target, undefined, imageId);
  return { config, layers: manifest.layers };
}

async function unpackLayer(
  unpacker: ReturnType<ImageDeps['containerd']['leased']>['unpacker'],
  descriptor: Descriptor,
  diffIds: readonly Digest[],
): Promise<void> {
  const place = {
    descriptor,
    diffId: descriptor.digest,
    chainId: chainId(diffIds),
    ...(diffIds.length > 1 && { parent: chainId(diffIds.slice(0, -1)) }),
  };
  try {
    const writer = await unpacker.layer(place, { ref: `commit-${descriptor.digest}` });
    await writer.commit();
  } catch (err) {
    if (!isAlreadyExists(err)) throw err;
  }
}
