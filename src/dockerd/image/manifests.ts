// What is behind an image's target: the manifests of its index, and which of them a platform gets.

import type { Containerd } from '../../containerd/index.ts';
import { NotFound } from '../../errdefs/index.ts';
import {
  chainId,
  choosePlatform,
  type Descriptor,
  type Digest,
  formatPlatform,
  hostPlatform,
  type ImageConfig,
  type ImageManifest,
  isAttestation,
  isImageConfigType,
  type Platform,
  platformRank,
} from '../../oci/index.ts';

/** One manifest of an image, as far as it is here. */
export interface ManifestView {
  readonly descriptor: Descriptor;
  /** Undefined where the manifest itself was not fetched: another platform's. */
  readonly manifest: ImageManifest | undefined;
  readonly config: ImageConfig | undefined;
  /** Whether manifest, config and all layers are here. */
  readonly available: boolean;
  readonly kind: 'image' | 'attestation' | 'unknown';
  readonly platform: Platform | undefined;
  /** Bytes of its blobs that are here. */
  readonly contentBytes: number;
  /** Bytes of its unpacked layers. */
  readonly unpackedBytes: number;
  /** Bytes of each layer unpacked, lowest first; undefined where one is not. */
  readonly layerBytes: readonly (number | undefined)[];
}

/** A manifest that can be run: all of it is here. */
export interface RunnableView extends ManifestView {
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
  readonly platform: Platform;
}

export const isRunnable = (view: ManifestView): view is RunnableView => view.available && view.kind === 'image';

/** Chain ids of a config's layers, lowest first. */
export const chainIds = ({ rootfs }: ImageConfig): Digest[] =>
  rootfs.diff_ids.map((_, i) => chainId(rootfs.diff_ids.slice(0, i + 1)));

const maxDepth = 4;

/** All manifests below a target, in the index's order. */
export async function listManifests(containerd: Containerd, target: Descriptor): Promise<ManifestView[]> {
  const views: ManifestView[] = [];
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    const document = await containerd.documents.load(descriptor);
    if (document?.kind === 'index') {
      if (depth < maxDepth) for (const entry of document.index.manifests) await visit(entry, depth + 1);
    } else {
      const manifest = document?.kind === 'manifest' ? document.manifest : undefined;
      views.push(await viewManifest(containerd, descriptor, manifest));
    }
  };
  await visit(target, 0);
  return views;
}

async function viewManifest(
  containerd: Containerd,
  descriptor: Descriptor,
  manifest: ImageManifest | undefined,
): Promise<ManifestView> {
  const attestation = isAttestation(descriptor);
  if (manifest === undefined) {
    const kind = attestation ? 'attestation' : 'image';
    const platform = descriptor.platform;
    return { descriptor, manifest, config: undefined, available: false, kind, platform, ...nothing };
  }
  const isImage = !attestation && isImageConfigType(manifest.config.mediaType);
  const document = isImage ? await containerd.documents.load(manifest.config) : undefined;
  const config = document?.kind === 'config' ? document.config : undefined;
  const blobs = [descriptor, manifest.config, ...manifest.layers];
  const infos = await Promise.all(blobs.map(({ digest }) => containerd.content.info(digest)));
  const layerBytes = config === undefined ? [] : await layerSizes(containerd, config);
  return {
    descriptor,
    manifest,
    config,
    available: infos.every(info => info !== undefined),
    kind: attestation ? 'attestation' : isImage ? 'image' : 'unknown',
    platform: config === undefined ? descriptor.platform : platformOf(config),
    contentBytes: infos.reduce((sum, info) => sum + (info?.size ?? 0), 0),
    unpackedBytes: layerBytes.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0),
    layerBytes,
  };
}

const nothing = { contentBytes: 0, unpackedBytes: 0, layerBytes: [] } as const;

async function layerSizes({ snapshotter }: Containerd, config: ImageConfig): Promise<(number | undefined)[]> {
  return Promise.all(
    chainIds(config).map(async key => {
      if ((await snapshotter.stat(key)) === undefined) return undefined;
      return (await snapshotter.usage(key)).sizeBytes;
    }),
  );
}

export function platformOf(config: ImageConfig): Platform {
  const { os, architecture, variant } = config;
  return { os: os ?? '', architecture: architecture ?? '', ...(variant !== undefined && { variant }) };
}

/** The manifest that stands for the image: the host's best that is here, else any that is. */
export function bestManifest(views: readonly ManifestView[], platform?: Platform): RunnableView | undefined {
  const here = views.filter(isRunnable);
  return choosePlatform(here, platform ?? hostPlatform()) ?? (platform === undefined ? here[0] : undefined);
}

/** The manifest for a platform, all of it here; NotFound says what is missing. */
export async function requireManifest(
  containerd: Containerd,
  target: Descriptor,
  platform: Platform | undefined,
  words: string,
): Promise<RunnableView> {
  const views = await listManifests(containerd, target);
  const best = bestManifest(views, platform);
  if (best !== undefined) return best;
  const wanted = platform ?? hostPlatform();
  const { variant: _, ...plain } = wanted;
  const name = formatPlatform(platform ?? plain);
  const known = views.find(view => view.platform !== undefined && platformRank(wanted, view.platform) !== undefined);
  if (known !== undefined) {
    throw new NotFound(
      `image with reference ${words} was found but its content for the platform (${name}) is not here: pull it`,
    );
  }
  throw new NotFound(`image with reference ${words} was found but does not provide the specified platform (${name})`);
}
