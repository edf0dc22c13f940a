// What Docker puts between an image and a container, so that `docker diff` does not show it: the mount points and files that the
// runtime needs. Made once per image, with only what the image lacks. A directory that the image has is not touched: overlayfs
// would show our attributes instead of the image's.

import { type Containerd, layersOfMounts, openMergedView } from '../../containerd/index.ts';
import { isAlreadyExists } from '../../errdefs/index.ts';
import { fillInitLayer } from './init-files.ts';

/** Images without any layer share one. */
const emptyBase = 'scratch';

/** Key of the snapshot that containers of an image are prepared on; made when it is not there yet. */
export async function initLayer({ snapshotter }: Containerd, chain: string | undefined): Promise<string> {
  const name = `${chain ?? emptyBase}-init`;
  if ((await snapshotter.stat(name)) !== undefined) return name;
  const key = `${name}-${process.pid}-${performance.now()}`;
  const labels = chain === undefined ? { 'containerd.io/gc.root': 'init' } : {};
  const mounts = await snapshotter.prepare(key, chain ?? '', { labels });
  try {
    const [upper, ...lower] = layersOfMounts(mounts);
    using below = lower.length === 0 ? undefined : openMergedView(lower);
    fillInitLayer(upper!, below);
    await snapshotter.commit(name, key, { labels });
  } catch (err) {
    await snapshotter.remove(key);
    // Another container of the same image was faster.
    if (!isAlreadyExists(err)) throw err;
  }
  return name;
}
