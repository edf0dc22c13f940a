// Images made for tests, stored as a pull would store them.

import { chainId, type Descriptor, type Digest, type ImageRunConfig, mediaTypes } from '../../oci/index.ts';
import type { Containerd } from '../containerd.ts';
import { sha256, tarOf } from './archives.ts';

export interface TestImage {
  readonly target: Descriptor;
  readonly chain: Digest;
  readonly diffIds: readonly Digest[];
  readonly layers: readonly Buffer[];
}

/** Files of each layer, lowest first, as path → content. Nothing keeps the image yet: the caller names it. */
export async function storeImage(
  containerd: Containerd,
  files: readonly Readonly<Record<string, string>>[],
  config: ImageRunConfig = {},
): Promise<TestImage> {
  const lease = containerd.leases.create();
  const { content, unpacker } = containerd.leased(lease.id);
  const layers = files.map(layer => tarOf(Object.entries(layer).map(([path, data]) => ({ path, data }))));
  const diffIds = layers.map(tar => sha256(tar) as Digest);
  const descriptors = layers.map((tar, i) => ({
    mediaType: mediaTypes.ociLayer,
    digest: diffIds[i]!,
    size: tar.length,
  }));
  for (const [i, tar] of layers.entries()) {
    const place = {
      descriptor: descriptors[i]!,
      diffId: diffIds[i]!,
      chainId: chainId(diffIds.slice(0, i + 1)),
      ...(i > 0 && { parent: chainId(diffIds.slice(0, i)) }),
    };
    if (await unpacker.exists(place.chainId)) continue;
    const writer = await unpacker.layer(place, { ref: `layer-${diffIds[i]}` });
    if (writer.offset < tar.length) await writer.write(new Uint8Array(tar.subarray(writer.offset)));
    await writer.commit();
  }
  const stored = await content.writeBlob(
    Buffer.from(
      JSON.stringify({
        created: '2026-01-02T03:04:05Z',
        os: 'linux',
        architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
        config,
        rootfs: { type: 'layers', diff_ids: diffIds },
        history: files.map((_, i) => ({ created: '2026-01-02T03:04:05Z', created_by: `layer ${i}` })),
      }),
    ),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, ...stored },
    layers: descriptors,
  };
  const target = await content.writeBlob(Buffer.from(JSON.stringify(manifest)));
  containerd.leases.delete(lease.id);
  return { target: { mediaType: mediaTypes.ociManifest, ...target }, chain: chainId(diffIds), diffIds, layers };
}
