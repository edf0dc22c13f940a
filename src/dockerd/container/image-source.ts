// Images as containers need them.

import type { Containerd } from '../../containerd/index.ts';
import type { Platform } from '../../oci/index.ts';
import { resolveImage } from '../image/names.ts';
import { runnableImage } from '../image/runnable.ts';
import type { ContainerImages, RunnableImage } from './services.ts';

/** What was found once is found again without a look into manifests. */
export class ImageSource implements ContainerImages {
  readonly #containerd: Containerd;
  readonly #used: (id: string) => void;
  /** What was found before: a digest's content does not change, but it may be removed. */
  readonly #known = new Map<string, RunnableImage>();

  /** `used` is told of each image that a container is made of. */
  constructor(containerd: Containerd, used: (id: string) => void = () => {}) {
    this.#containerd = containerd;
    this.#used = used;
  }

  async resolve(reference: string, platform: Platform | undefined): Promise<RunnableImage> {
    const { id } = resolveImage(this.#containerd.images, reference);
    this.#used(id);
    const key = `${id} ${platform === undefined ? '' : JSON.stringify(platform)}`;
    const known = this.#known.get(key);
    if (known !== undefined && (await this.#containerd.snapshotter.stat(known.parent)) !== undefined) return known;
    const image = await runnableImage(this.#containerd, reference, platform);
    this.#known.set(key, image);
    return image;
  }
}
