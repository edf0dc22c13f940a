// The daemon's images: one method per API call, each in a file of its own. Docker's words, for images that are names pointing at
// content-addressed indexes and manifests.

import type {
  Filters,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageSummary,
  ImagesPruneReport,
} from '../../api/index.ts';
import type { Platform } from '../../oci/index.ts';
import type { ContainerImages, RunnableImage } from '../container/services.ts';
import type { ImageDeps } from './deps.ts';
import { type ImageDiskUsage, imageDiskUsage } from './disk-usage.ts';
import { type ImportRequest, importImage } from './import.ts';
import { type InspectRequest, imageHistory, inspectImage } from './inspect.ts';
import { type ListRequest, listImages } from './list.ts';
import { type LoadRequest, loadImages } from './load.ts';
import { resolveImage } from './names.ts';
import type { Output } from './progress.ts';
import { pruneImages } from './prune.ts';
import { type PullRequest, pullImage } from './pull.ts';
import { type PushRequest, pushImage } from './push.ts';
import { type RemoveRequest, removeImage } from './remove.ts';
import { runnableImage } from './runnable.ts';
import { planSave, type SaveRequest, saveImages } from './save.ts';
import { tagImage } from './tag.ts';

export class ImageService implements ContainerImages {
  readonly #deps: ImageDeps;

  constructor(deps: ImageDeps) {
    this.#deps = deps;
  }

  /** For a new container: the image with its init layer. Docker's 404 when it is not here. */
  resolve(reference: string, platform: Platform | undefined): Promise<RunnableImage> {
    return runnableImage(this.#deps.containerd, reference, platform);
  }

  /** Docker's id of what `reference` names, if it is here; NotFound in Docker's words. */
  id(reference: string): string {
    return resolveImage(this.#deps.containerd.images, reference).id;
  }

  /** GET /images/json */
  list(request: ListRequest): Promise<ImageSummary[]> {
    return listImages(this.#deps, request);
  }

  /** GET /images/{name}/json */
  inspect(name: string, request: InspectRequest = {}): Promise<ImageInspect> {
    return inspectImage(this.#deps, name, request);
  }

  /** GET /images/{name}/history */
  history(name: string, platform?: Platform): Promise<ImageHistoryItem[]> {
    return imageHistory(this.#deps, name, platform);
  }

  /** POST /images/create?fromImage= */
  pull(request: PullRequest, output: Output): Promise<void> {
    return pullImage(this.#deps, request, output);
  }

  /** POST /images/create?fromSrc= */
  async import(request: ImportRequest, output: Output): Promise<void> {
    await importImage(this.#deps, request, output);
  }

  /** POST /images/{name}/push */
  push(request: PushRequest, output: Output): Promise<void> {
    return pushImage(this.#deps, request, output);
  }

  /** POST /images/{name}/tag */
  tag(name: string, repo: string, tag: string): void {
    tagImage(this.#deps, name, repo, tag);
  }

  /** DELETE /images/{name} */
  remove(name: string, request: RemoveRequest = {}): Promise<ImageDeleteItem[]> {
    return removeImage(this.#deps, name, request);
  }

  /** POST /images/load */
  load(request: LoadRequest, output: Output): Promise<void> {
    return loadImages(this.#deps, request, output);
  }

  /** GET /images/get, /images/{name}/get: resolves when it is known that all images are here. */
  async save(request: SaveRequest): Promise<AsyncIterable<Uint8Array>> {
    return saveImages(this.#deps, await planSave(this.#deps, request), request.signal);
  }

  /** GET /system/df */
  diskUsage(): Promise<ImageDiskUsage> {
    return imageDiskUsage(this.#deps);
  }

  /** POST /images/prune */
  prune(filters: Filters): Promise<ImagesPruneReport> {
    return pruneImages(this.#deps, filters);
  }
}
