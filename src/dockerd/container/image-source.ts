// Images as containers need them.

import type { Containerd } from '../../containerd/index.ts';
import type { Platform } from '../../oci/index.ts';
import { initLayer } from '../image/init-layer.ts';
import { chainIds, requireManifest } from '../image/manifests.ts';
import { resolveImage } from '../image/names.ts';
import type { ContainerImages, RunnableImage } from './services.ts';

/** Chooses the platform, and puts the engine's own files on top of the layers. */
export class ImageSource implements ContainerImages {
  readonly #containerd: Containerd;
  /** What was found before: a digest's content does not change, but it may be removed. */
  readonly #known = new Map<string, RunnableImage>();

  constructor(containerd: Containerd) {
    this.#containerd = containerd;
  }

  async resolve(reference: string, platform: Platform | undefined): Promise<RunnableImage> {
    const { target, id } = resolveImage(this.#containerd.images, reference);
    const key = `${id} ${platform === undefined ? '' : JSON.stringify(platform)}`;
    const known = this.#known.get(key);
    if (known !== undefined && (await this.#containerd.snapshotter.stat(known.parent)) !== undefined) return known;
    const view = await requireManifest(this.#containerd, target, platform, reference);
    const parent = await initLayer(this.#containerd, chainIds(view.config).at(-1));
    const image: RunnableImage = { id, config: view.config, parent, platform: view.platform };
    this.#known.set(key, image);
    return image;
  }
}
