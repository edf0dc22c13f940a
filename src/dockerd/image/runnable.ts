// What a container is made from.

import type { Containerd, LayerPlace } from '../../containerd/index.ts';
import { isAlreadyExists } from '../../errdefs/index.ts';
import { chainId, type Platform } from '../../oci/index.ts';
import type { RunnableImage } from '../container/services.ts';
import { initLayer } from './init-layer.ts';
import { chainIds, type RunnableView, requireManifest } from './manifests.ts';
import { resolveImage } from './names.ts';

/** Resolves an image for a new container; layers that are only here packed (loaded for another platform) are unpacked. */
export async function runnableImage(
  containerd: Containerd,
  text: string,
  platform: Platform | undefined,
): Promise<RunnableImage> {
  const { target, id } = resolveImage(containerd.images, text);
  const view = await requireManifest(containerd, target, platform, text);
  await unpackImage(containerd, view);
  const chain = chainIds(view.config).at(-1);
  return { id, config: view.config, platform: view.platform, parent: await initLayer(containerd, chain) };
}

/** Unpacks what is not yet. */
export async function unpackImage(containerd: Containerd, { manifest, config }: RunnableView): Promise<void> {
  const { diff_ids: diffIds } = config.rootfs;
  if (diffIds.length === 0 || (await containerd.unpacker.exists(chainId(diffIds)))) return;
  using lease = containerd.leases.create();
  const { unpacker } = containerd.leased(lease.id);
  const stop = new AbortController();
  const layers = diffIds.map((diffId, i): LayerPlace => {
    const descriptor = manifest.layers[i]!;
    const chain = chainId(diffIds.slice(0, i + 1));
    return { descriptor, diffId, chainId: chain, ...(i > 0 && { parent: chainId(diffIds.slice(0, i)) }) };
  });
  await Promise.all(
    layers.map(async place => {
      try {
        const options = { ref: `unpack-${place.descriptor.digest}`, signal: stop.signal };
        const writer = await unpacker.layer(place, options);
        await writer.commit();
      } catch (err) {
        if (isAlreadyExists(err)) return;
        stop.abort();
        throw err;
      }
    }),
  );
}
