// GET /images/get (moby daemon/containerd/image_exporter.go ExportImage): an OCI layout with Docker's manifest.json beside, so that
// old and new tools read it.

import { encodeHeader, endOfArchive, paddingOf } from '../../containerd/index.ts';
import { type Descriptor, digestHex, type Platform } from '../../oci/index.ts';
import { familiarString, parseReference } from '../../registry/index.ts';
import type { ImageDeps } from './deps.ts';
import { bestManifest, listManifests, type ManifestView, requireManifest } from './manifests.ts';
import { type Resolved, resolveImage } from './names.ts';

export interface SaveRequest {
  readonly names: readonly string[];
  /** Only these platforms' manifests of each image. With one, the manifest takes the index's place. */
  readonly platforms?: readonly Platform[];
  readonly signal?: AbortSignal;
}

interface Plan {
  /** Blobs by digest, with their size. */
  readonly blobs: Map<string, Descriptor>;
  readonly index: Descriptor[];
  readonly docker: { Config: string; RepoTags: string[] | null; Layers: string[] }[];
}

/** Decides what goes into the archive; throws before the first byte where an image is not here. */
export async function planSave(deps: ImageDeps, { names, platforms = [] }: SaveRequest): Promise<Plan> {
  const plan: Plan = { blobs: new Map(), index: [], docker: [] };
  for (const text of names) {
    const resolved = resolveImage(deps.containerd.images, text);
    const chosen = await Promise.all(
      platforms.map(platform => requireManifest(deps.containerd, resolved.target, platform, text)),
    );
    const views = chosen.length === 0 ? await listManifests(deps.containerd, resolved.target) : chosen;
    const target = chosen.length === 1 ? plain(chosen[0]!.descriptor) : resolved.target;
    const wanted = new Set(chosen.map(view => view.descriptor.digest));
    await collectBlobs(deps, target, plan.blobs, wanted);
    plan.index.push(...describe(target, resolved));
    addDockerItem(plan, views, tagsOf(resolved));
  }
  return plan;
}

const plain = ({ mediaType, digest, size }: Descriptor): Descriptor => ({ mediaType, digest, size });

/** By name, what the name says; by id, every tag would be a surprise: none. */
const tagsOf = ({ name }: Resolved): string[] => (name === undefined ? [] : [name.name]);

function describe(target: Descriptor, resolved: Resolved): Descriptor[] {
  const [full] = tagsOf(resolved);
  if (full === undefined) return [target];
  const { tag } = parseReference(full);
  const annotations = {
    ...target.annotations,
    'io.containerd.image.name': full,
    ...(tag !== undefined && { 'org.opencontainers.image.ref.name': tag }),
  };
  return [{ ...target, annotations }];
}

/** Everything below a descriptor that is here: other platforms may not be. */
async function collectBlobs(
  deps: ImageDeps,
  descriptor: Descriptor,
  into: Map<string, Descriptor>,
  wanted: ReadonlySet<string>,
): Promise<void> {
  const { content, documents } = deps.containerd;
  const info = await content.info(descriptor.digest);
  if (info === undefined || into.has(descriptor.digest)) return;
  into.set(descriptor.digest, { ...plain(descriptor), size: info.size });
  const document = await documents.load(descriptor);
  const children =
    document?.kind === 'index'
      ? document.index.manifests.filter(({ digest }) => wanted.size === 0 || wanted.has(digest))
      : document?.kind === 'manifest'
        ? [document.manifest.config, ...document.manifest.layers]
        : [];
  for (const child of children) await collectBlobs(deps, child, into, wanted);
}

const blobPath = ({ digest }: Descriptor): string => `blobs/sha256/${digestHex(digest)}`;

function addDockerItem(plan: Plan, views: readonly ManifestView[], names: readonly string[]): void {
  const best = bestManifest(views);
  if (best === undefined) return;
  const Config = blobPath(best.manifest.config);
  const tags = names.map(name => familiarString(parseReference(name)));
  const known = plan.docker.find(item => item.Config === Config);
  if (known !== undefined) {
    known.RepoTags = [...new Set([...(known.RepoTags ?? []), ...tags])];
    return;
  }
  plan.docker.push({ Config, RepoTags: tags.length === 0 ? null : tags, Layers: best.manifest.layers.map(blobPath) });
}

/** The archive's bytes. The same images always make the same bytes. */
export async function* saveImages(deps: ImageDeps, plan: Plan, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const { content } = deps.containerd;
  yield encodeHeader({ type: 'directory', path: 'blobs/', mode: 0o755 });
  yield encodeHeader({ type: 'directory', path: 'blobs/sha256/', mode: 0o755 });
  const blobs = [...plan.blobs.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
  for (const blob of blobs) {
    yield encodeHeader({ type: 'file', path: blobPath(blob), mode: 0o444, size: blob.size });
    yield* content.read(blob.digest, signal === undefined ? {} : { signal });
    yield Buffer.alloc(paddingOf(blob.size));
  }
  const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: plan.index };
  yield document('index.json', index);
  if (plan.docker.length > 0) yield document('manifest.json', plan.docker);
  yield document('oci-layout', { imageLayoutVersion: '1.0.0' });
  yield endOfArchive;
}

function document(path: string, value: unknown): Buffer {
  const bytes = Buffer.from(JSON.stringify(value));
  const header = encodeHeader({ type: 'file', path, mode: 0o644, size: bytes.length });
  return Buffer.concat([header, bytes, Buffer.alloc(paddingOf(bytes.length))]);
}
