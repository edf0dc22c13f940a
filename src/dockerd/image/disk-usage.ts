// GET /system/df: images. What is shared is counted once.

import { Filters, type ImageSummary } from '../../api/index.ts';
import type { ImageDeps } from './deps.ts';
import { listImages } from './list.ts';

export interface ImageDiskUsage {
  /** What all images and their unpacked layers occupy, each blob and layer once. */
  readonly layersSize: number;
  readonly images: readonly ImageSummary[];
}

export async function imageDiskUsage(deps: ImageDeps): Promise<ImageDiskUsage> {
  const { content, snapshotter } = deps.containerd;
  const images = await listImages(deps, { filters: new Filters(), sharedSize: true });
  const blobs = await content.list();
  const snapshots = (await snapshotter.list()).filter(info => info.kind === 'committed');
  const usages = await Promise.all(snapshots.map(({ key }) => snapshotter.usage(key)));
  // Files occupy whole blocks.
  const blobBytes = blobs.reduce((sum, { size }) => sum + Math.ceil(size / 4096) * 4096, 0);
  return { layersSize: usages.reduce((sum, { sizeBytes }) => sum + sizeBytes, blobBytes), images };
}
