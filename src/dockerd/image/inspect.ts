// GET /images/{name}/json and /history (moby daemon/containerd/image.go, image_history.go).

import type { ImageHistoryItem, ImageInspect } from '../../api/index.ts';
import { NotFound } from '../../errdefs/index.ts';
import type { ImageConfig, ImageRunConfig, Platform } from '../../oci/index.ts';
import type { ImageDeps } from './deps.ts';
import { manifestSummary } from './list.ts';
import { bestManifest, listManifests, requireManifest } from './manifests.ts';
import { repoDigests, repoTags, resolveImage } from './names.ts';

export interface InspectRequest {
  readonly platform?: Platform;
  readonly manifests?: boolean;
}

export async function inspectImage(deps: ImageDeps, text: string, request: InspectRequest = {}): Promise<ImageInspect> {
  const { containerd } = deps;
  const named = resolveImage(containerd.images, text);
  const views = await listManifests(containerd, named.target);
  const best =
    request.platform === undefined
      ? bestManifest(views)
      : await requireManifest(containerd, named.target, request.platform, text);
  const config = best?.config;
  const lastTag = Math.max(...named.all.map(image => image.updatedAt.getTime()));
  return {
    Id: named.id,
    RepoTags: repoTags(named.names),
    RepoDigests: repoDigests(named.names),
    Parent: '',
    Comment: config?.history?.at(-1)?.comment ?? '',
    ...(config?.created !== undefined && { Created: config.created }),
    DockerVersion: '',
    Author: config?.author ?? '',
    Config: config === undefined ? null : wireConfig(config.config ?? {}),
    Architecture: config?.architecture ?? '',
    ...(config?.variant !== undefined && { Variant: config.variant }),
    Os: config?.os ?? '',
    ...(config?.['os.version'] !== undefined && { OsVersion: config['os.version'] }),
    Size: best?.contentBytes ?? views.reduce((sum, view) => sum + view.contentBytes, 0),
    GraphDriver: { Data: null, Name: 'overlayfs' },
    RootFS: {
      Type: 'layers',
      ...(config !== undefined && config.rootfs.diff_ids.length > 0 && { Layers: config.rootfs.diff_ids }),
    },
    Metadata: { LastTagTime: new Date(lastTag).toISOString() },
    Descriptor: named.target,
    ...(request.manifests === true && { Manifests: views.map(view => manifestSummary(deps, view, named)) }),
  };
}

/** The fields that Docker gives even where the image says nothing of them. */
function wireConfig(config: ImageRunConfig): Record<string, unknown> {
  return {
    Cmd: null,
    Entrypoint: null,
    Env: null,
    Labels: null,
    OnBuild: null,
    User: '',
    Volumes: null,
    WorkingDir: '',
    ...Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined && value !== null)),
  };
}

export async function imageHistory(deps: ImageDeps, text: string, platform?: Platform): Promise<ImageHistoryItem[]> {
  const { containerd } = deps;
  const named = resolveImage(containerd.images, text);
  const { config, layerBytes } = await requireManifest(containerd, named.target, platform, text);
  const items = historyOf(config, layerBytes, text);
  const [top] = items;
  if (top !== undefined) items[0] = { ...top, Id: named.id, Tags: tagsOrNull(repoTags(named.names)) };
  return items;
}

const tagsOrNull = (tags: readonly string[]) => (tags.length === 0 ? null : tags);

/** Newest first. */
function historyOf(config: ImageConfig, layerBytes: readonly (number | undefined)[], text: string): ImageHistoryItem[] {
  let layer = 0;
  const items = (config.history ?? []).map(entry => {
    if (entry.empty_layer !== true && layer >= config.rootfs.diff_ids.length) {
      throw new NotFound(`unable to find the layer of history entry ${layer} of image ${text}`);
    }
    const size = entry.empty_layer === true ? 0 : (layerBytes[layer++] ?? 0);
    return {
      Id: '<missing>',
      Created: Math.floor(new Date(entry.created ?? 0).getTime() / 1000),
      CreatedBy: entry.created_by ?? '',
      Tags: null,
      Size: size,
      Comment: entry.comment ?? '',
    };
  });
  return items.reverse();
}
