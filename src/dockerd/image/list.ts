// GET /images/json (moby daemon/containerd/image_list.go).

import { posix } from 'node:path';
import type { Filters, ImageSummary } from '../../api/index.ts';
import { InvalidArgument } from '../../errdefs/index.ts';
import { familiarName, familiarString, parseReference } from '../../registry/index.ts';
import type { ImageDeps } from './deps.ts';
import { bestManifest, isRunnable, listManifests, type ManifestView } from './manifests.ts';
import { listTargets, type NamedTarget, repoDigests, repoTags, resolveImage } from './names.ts';
import { parseUntil } from './until.ts';

export interface ListRequest {
  readonly filters: Filters;
  /** Accepted; with content-addressed layers there are no intermediate images. */
  readonly all?: boolean;
  readonly sharedSize?: boolean;
  /** Lists each image's manifests too. */
  readonly manifests?: boolean;
}

interface Listed {
  readonly named: NamedTarget;
  readonly views: readonly ManifestView[];
  readonly created: Date;
  readonly labels: Readonly<Record<string, string>> | null;
}

const accepted = ['dangling', 'label', 'label!', 'before', 'since', 'until', 'reference'];

export async function listImages(deps: ImageDeps, request: ListRequest): Promise<ImageSummary[]> {
  const { filters } = request;
  filters.validate(accepted);
  const listed = (await Promise.all(listTargets(deps.containerd.images).map(named => look(deps, named)))).filter(
    image => image !== undefined,
  );
  const wanted = listed.filter(await matcher(deps, filters));
  const shared = request.sharedSize === true ? sharedLayers(listed) : undefined;
  return wanted
    .sort((a, b) => b.created.getTime() - a.created.getTime())
    .map(image => summary(deps, image, filters, request, shared));
}

async function look({ containerd }: ImageDeps, named: NamedTarget): Promise<Listed | undefined> {
  // A manifest that is not what it says must not hide all other images.
  const views = await listManifests(containerd, named.target).catch(() => []);
  const best = bestManifest(views);
  return {
    named,
    views,
    created: new Date(best?.config.created ?? 0),
    labels: best?.config.config?.Labels ?? null,
  };
}

async function matcher(deps: ImageDeps, filters: Filters): Promise<(image: Listed) => boolean> {
  const created = async (text: string) => (await look(deps, resolveImage(deps.containerd.images, text)))!.created;
  const before = await Promise.all(filters.get('before').map(created));
  const since = await Promise.all(filters.get('since').map(created));
  const until = filters.get('until').map(text => parseUntil(text));
  const dangling = filters.has('dangling') ? filters.bool('dangling', false) : undefined;
  return ({ named, created: at, labels }) =>
    before.every(limit => at < limit) &&
    since.every(limit => at > limit) &&
    until.every(limit => at < limit) &&
    (dangling === undefined || dangling === (named.names.length === 0)) &&
    filters.labels('label', labels) &&
    (!filters.has('label!') || !filters.get('label!').some(label => hasLabel(labels, label))) &&
    (!filters.has('reference') || matchingNames(named, filters).length > 0);
}

export function hasLabel(labels: Readonly<Record<string, string>> | null | undefined, wanted: string): boolean {
  const at = wanted.indexOf('=');
  const name = at < 0 ? wanted : wanted.slice(0, at);
  if (labels === null || labels === undefined || !Object.hasOwn(labels, name)) return false;
  return at < 0 || labels[name] === wanted.slice(at + 1);
}

/** With a reference filter only the names that it matches are shown: globs on the familiar form, with or without the tag. */
function matchingNames(named: NamedTarget, filters: Filters): NamedTarget['names'] {
  if (!filters.has('reference')) return named.names;
  return named.names.filter(({ name }) => {
    const reference = parseReference(name);
    return filters.get('reference').some(pattern => {
      try {
        return (
          posix.matchesGlob(familiarString(reference), pattern) || posix.matchesGlob(familiarName(reference), pattern)
        );
      } catch (cause) {
        throw new InvalidArgument(`invalid filter 'reference=${pattern}'`, { cause });
      }
    });
  });
}

/** Bytes of layers that more than one image has, by chain. */
function sharedLayers(listed: readonly Listed[]): (image: Listed) => number {
  const users = new Map<string, number>();
  const layersOf = (image: Listed) =>
    new Map(
      image.views
        .filter(isRunnable)
        .flatMap(view => view.config.rootfs.diff_ids.map((_, i) => [key(view, i), view.layerBytes[i] ?? 0] as const)),
    );
  for (const image of listed) for (const [id] of layersOf(image)) users.set(id, (users.get(id) ?? 0) + 1);
  return image => [...layersOf(image)].reduce((sum, [id, bytes]) => sum + ((users.get(id) ?? 0) > 1 ? bytes : 0), 0);
}

const key = (view: ManifestView, layer: number): string => view.config!.rootfs.diff_ids.slice(0, layer + 1).join(' ');

function summary(
  deps: ImageDeps,
  image: Listed,
  filters: Filters,
  request: ListRequest,
  shared: ((image: Listed) => number) | undefined,
): ImageSummary {
  const { named, views, created, labels } = image;
  const names = matchingNames(named, filters);
  return {
    Containers: deps.users().filter(user => user.imageId === named.id).length,
    Created: Math.floor(created.getTime() / 1000),
    Id: named.id,
    Labels: labels,
    ParentId: '',
    Descriptor: named.target,
    ...(request.manifests === true && { Manifests: views.map(view => manifestSummary(deps, view, named)) }),
    RepoDigests: repoDigests(names),
    RepoTags: repoTags(names),
    SharedSize: shared?.(image) ?? -1,
    Size: totalBytes(views),
  };
}

/** What the image occupies, compressed and unpacked: both are here. */
export function totalBytes(views: readonly ManifestView[]): number {
  return views.reduce((sum, view) => sum + view.contentBytes + view.unpackedBytes, 0);
}

export function manifestSummary(deps: ImageDeps, view: ManifestView, named: NamedTarget): object {
  const users = deps.users().filter(user => user.imageId === named.id);
  return {
    ID: view.descriptor.digest,
    Descriptor: view.descriptor,
    Available: view.available,
    Size: { Content: view.contentBytes, Total: view.contentBytes + view.unpackedBytes },
    Kind: view.kind,
    ...(view.kind === 'image' && {
      ImageData: {
        Platform: view.platform ?? {},
        Size: { Unpacked: view.unpackedBytes },
        Containers: users.length === 0 ? null : users.map(user => user.id),
      },
    }),
    ...(view.kind === 'attestation' && {
      AttestationData: { For: view.descriptor.annotations?.['vnd.docker.reference.digest'] ?? '' },
    }),
  };
}
