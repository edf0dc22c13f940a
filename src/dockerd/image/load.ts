// POST /images/load (moby daemon/containerd/image_exporter.go LoadImage; containerd core/images/archive).
//
// Understands an OCI layout (index.json), which is what docker save writes since 25, and Docker's own manifest.json.

import { InvalidArgument } from '../../errdefs/index.ts';
import type { Descriptor, Digest, Platform } from '../../oci/index.ts';
import { familiarString, parseReference } from '../../registry/index.ts';
import { type Archive, readArchive } from './archive/archive-reader.ts';
import { importDockerArchive } from './archive/docker-archive.ts';
import { importOciLayout } from './archive/oci-layout.ts';
import type { ImageDeps } from './deps.ts';
import { danglingName } from './names.ts';
import { nameTarget } from './naming.ts';
import type { Output } from './progress.ts';

export interface LoadRequest {
  /** The archive: plain, gzip or zstd. */
  readonly archive: AsyncIterable<Uint8Array>;
  /** Of an index, only these. */
  readonly platforms?: readonly Platform[];
  readonly signal?: AbortSignal;
}

/** An image found in an archive, its content stored. */
export interface LoadedImage {
  readonly target: Descriptor;
  /** Normalised references; none for an image by id only. */
  readonly names: readonly string[];
}

export async function loadImages(deps: ImageDeps, request: LoadRequest, output: Output): Promise<void> {
  const { containerd, events } = deps;
  using lease = containerd.leases.create({ labels: { operation: 'load' } });
  const store = containerd.leased(lease.id);
  const archive = await readArchive(request.archive, {
    stage: () => store.unpacker.stage({}),
    isKnown: async digest => (await store.content.info(digest as Digest)) !== undefined,
    ...(request.signal !== undefined && { signal: request.signal }),
  });
  let images: LoadedImage[];
  try {
    images = await importImages(archive, { ...store, snapshotter: containerd.snapshotter }, request.platforms);
  } finally {
    await archive.close();
  }
  for (const { target, names } of images) {
    if (names.length === 0) {
      if (containerd.images.listByTarget(target.digest).length === 0) {
        nameTarget(containerd, danglingName(target.digest), target);
      }
      output({ stream: `Loaded image ID: ${target.digest}\n` });
    }
    for (const name of names) {
      nameTarget(containerd, name, target);
      output({ stream: `Loaded image: ${familiarString(parseReference(name))}\n` });
    }
    events.publish('image', 'load', target.digest, { name: target.digest });
  }
  deps.stored?.();
}

async function importImages(
  archive: Archive,
  store: Parameters<typeof importOciLayout>[1],
  platforms: readonly Platform[] | undefined,
): Promise<LoadedImage[]> {
  if (archive.resolve('index.json')?.kind === 'bytes') return importOciLayout(archive, store, platforms);
  if (archive.resolve('manifest.json')?.kind === 'bytes') return importDockerArchive(archive, store);
  throw new InvalidArgument('unrecognized image format');
}
