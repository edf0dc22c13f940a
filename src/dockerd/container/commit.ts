// POST /commit: a container's changes as a layer of a new image.

import type { ContainerConfig } from '../../api/index.ts';
import { Conflict } from '../../errdefs/index.ts';
import { chainId, type Digest, type ImageConfig, type ImageRunConfig, mediaTypes } from '../../oci/index.ts';
import { familiarString, formatReference } from '../../registry/index.ts';
import { formatNs, nowNs } from '../clock.ts';
import { writeImage } from '../image/import.ts';
import { applyChanges, type ImageDeps } from '../image/index.ts';
import { requireManifest } from '../image/manifests.ts';
import { danglingName, resolveImage } from '../image/names.ts';
import { nameTarget } from '../image/naming.ts';
import { newName } from '../image/tag.ts';
import type { Container } from './container.ts';
import { mergeConfig } from './merge.ts';
import { type ContainerServices, eventAttributes } from './services.ts';

export interface CommitRequest {
  readonly repo: string;
  readonly tag: string;
  readonly comment: string;
  readonly author: string;
  readonly pause: boolean;
  readonly changes: readonly string[];
  /** What is set in it goes before the container's own. */
  readonly config: ContainerConfig;
}

/** Makes the image; its id. */
export async function commitContainer(
  services: ContainerServices,
  images: ImageDeps,
  container: Container,
  request: CommitRequest,
): Promise<Digest> {
  const { record, state } = container;
  if (state.dead || state.removing)
    throw new Conflict(`You cannot commit container ${record.id} which is being removed`);
  const name = newName(request.repo, request.tag);
  const config = applyChanges(runConfig(mergeConfig(request.config, runConfig(record.config))), request.changes);
  const { containerd } = images;
  using lease = containerd.leases.create({ labels: { operation: 'commit' } });
  const paused = request.pause && state.running && !state.paused;
  if (paused) await services.tasks.pause(record.id);
  let layer: Awaited<ReturnType<typeof containerd.differ.diff>>;
  try {
    layer = await containerd.differ.diff(record.id, { lease: lease.id });
  } finally {
    if (paused) await services.tasks.resume(record.id).catch(() => {});
  }
  const base = await requireManifest(
    containerd,
    resolveImage(containerd.images, record.imageId).target,
    undefined,
    record.imageId,
  );
  const created = formatNs(nowNs());
  const empty = layer.entries === 0;
  const image: ImageConfig = {
    ...base.config,
    created,
    ...(request.author !== '' && { author: request.author }),
    config,
    rootfs: {
      type: 'layers',
      diff_ids: [...base.config.rootfs.diff_ids, ...(empty ? [] : [layer.digest])],
    },
    history: [
      ...(base.config.history ?? []),
      {
        created,
        created_by: [record.path, ...record.args].join(' '),
        ...(request.author !== '' && { author: request.author }),
        ...(request.comment !== '' && { comment: request.comment }),
        ...(empty && { empty_layer: true }),
      },
    ],
  };
  const store = containerd.leased(lease.id);
  const target = await writeImage(store.content, image, [
    ...base.manifest.layers,
    ...(empty ? [] : [{ mediaType: mediaTypes.ociLayer, digest: layer.digest, size: layer.size }]),
  ]);
  if (!empty) await unpack(containerd, image.rootfs.diff_ids, layer, lease.id);
  nameTarget(containerd, name === undefined ? danglingName(target.digest) : formatReference(name), target);
  services.events.publish(
    'container',
    'commit',
    record.id,
    eventAttributes(container, {
      comment: request.comment,
      imageID: target.digest,
      imageRef: name === undefined ? '' : familiarString(name),
    }),
  );
  return target.digest;
}

/** The new layer's snapshot, made from its blob, so that containers of the image start at once. */
async function unpack(
  containerd: ImageDeps['containerd'],
  diffIds: readonly Digest[],
  layer: { readonly digest: Digest; readonly size: number },
  lease: string,
): Promise<void> {
  const chain = chainId(diffIds);
  if (await containerd.unpacker.exists(chain)) return;
  const below = diffIds.slice(0, -1);
  const writer = await containerd.leased(lease).unpacker.layer(
    {
      descriptor: { mediaType: mediaTypes.ociLayer, digest: layer.digest, size: layer.size },
      diffId: layer.digest,
      chainId: chain,
      ...(below.length > 0 && { parent: chainId(below) }),
    },
    { ref: `commit-${layer.digest}` },
  );
  await writer.commit();
}

/** What an image says of running it; the rest of a container's configuration belongs to one container. */
const imageKeys = [
  'User',
  'ExposedPorts',
  'Env',
  'Entrypoint',
  'Cmd',
  'Volumes',
  'WorkingDir',
  'Labels',
  'StopSignal',
  'Healthcheck',
  'OnBuild',
  'Shell',
] as const satisfies readonly (keyof ImageRunConfig & keyof ContainerConfig)[];

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

/** A container's configuration as an image's; what is empty is left out. */
const runConfig = (config: ContainerConfig): ImageRunConfig =>
  Object.fromEntries(imageKeys.map(key => [key, config[key]]).filter(([, value]) => !isEmpty(value))) as ImageRunConfig;
