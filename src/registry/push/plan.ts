import { InvalidArgument, isNotFound, NotFound } from '../../errdefs/index.ts';
import {
  choosePlatform,
  type Descriptor,
  formatPlatform,
  hostPlatform,
  type ImageManifest,
  isForeignLayerType,
  type Platform,
  parseManifest,
} from '../../oci/index.ts';
import { type FetchedManifest, manifestMaxBytes } from '../client/manifests.ts';
import type { BlobReader } from '../store.ts';

/** What is to be pushed, in the order in which registries want it: blobs, then manifests, an index after what it lists. */
export interface PushPlan {
  /** Layers first among them; each once. */
  readonly blobs: readonly { readonly descriptor: Descriptor; readonly layer: boolean }[];
  /** All but the last go by digest; the last one gets the tag. */
  readonly manifests: readonly FetchedManifest[];
  /** Why this is not all of the target. */
  readonly note?: string;
}

const maxDepth = 4;

/**
 * Plans the push of `target`. Of an index whose other platforms were never pulled, the one manifest that is here is pushed in
 * its place, as moby does.
 */
export async function planPush(
  target: Descriptor,
  content: BlobReader,
  platform: Platform | undefined,
): Promise<PushPlan> {
  const plan = new Planner(content);
  if (platform === undefined) {
    const missing = await plan.add(target, 0);
    if (missing === undefined) return plan.done();
    return planSingle(target, content, hostPlatform(), missing);
  }
  return planSingle(target, content, platform, undefined);
}

async function planSingle(
  target: Descriptor,
  content: BlobReader,
  platform: Platform,
  missing: Descriptor | undefined,
): Promise<PushPlan> {
  const { bytes } = await read(target, content);
  const parsed = parseManifest(bytes, target.mediaType);
  const said = missing === undefined ? undefined : describeMissing(missing);
  if (parsed.kind === 'manifest') {
    if (missing !== undefined) throw new NotFound(`cannot push ${target.digest}: ${said}`);
    const plan = new Planner(content);
    await plan.add(target, 0);
    return plan.done();
  }
  const here: { plan: Planner; descriptor: Descriptor; platform?: Platform }[] = [];
  for (const descriptor of parsed.index.manifests) {
    const plan = new Planner(content);
    if (descriptor.platform?.os === 'unknown' || (await plan.add(descriptor, 1)) !== undefined) continue;
    here.push({ plan, descriptor, ...(descriptor.platform !== undefined && { platform: descriptor.platform }) });
  }
  const chosen = choosePlatform(here, platform) ?? (missing !== undefined && here.length === 1 ? here[0] : undefined);
  if (chosen === undefined) {
    throw new NotFound(
      `image with digest ${target.digest} has no content for the platform ${formatPlatform(platform)} here${said === undefined ? '' : `: ${said}`}`,
    );
  }
  if (missing === undefined) return chosen.plan.done();
  return chosen.plan.done(
    `Not all multiplatform-content is present and only the available single-platform image was pushed\n${target.digest} -> ${chosen.descriptor.digest}`,
  );
}

/** Says for which platform something is missing, not only its digest. */
function describeMissing({ digest, platform, mediaType }: Descriptor): string {
  return `content digest ${digest} (${platform === undefined ? mediaType : `the image for ${formatPlatform(platform)}`}): not found`;
}

class Planner {
  readonly #content: BlobReader;
  readonly #blobs = new Map<string, { descriptor: Descriptor; layer: boolean }>();
  readonly #manifests = new Map<string, FetchedManifest>();

  constructor(content: BlobReader) {
    this.#content = content;
  }

  /** Adds a manifest and all below it; what is missing, if anything. */
  async add(descriptor: Descriptor, depth: number): Promise<Descriptor | undefined> {
    if (depth > maxDepth) throw new InvalidArgument(`indexes are nested more than ${maxDepth} deep`);
    if (this.#manifests.has(descriptor.digest)) return undefined;
    let manifest: FetchedManifest;
    try {
      manifest = await read(descriptor, this.#content);
    } catch (err) {
      if (isNotFound(err)) return descriptor;
      throw err;
    }
    const parsed = parseManifest(manifest.bytes, descriptor.mediaType);
    if (parsed.kind === 'index') {
      for (const child of parsed.index.manifests) {
        const missing = await this.add(child, depth + 1);
        if (missing !== undefined) return missing === child ? missing : withPlatform(missing, child.platform);
      }
    } else {
      const missing = await this.#addBlobs(parsed.manifest);
      if (missing !== undefined) return withPlatform(missing, descriptor.platform);
    }
    // After what it refers to.
    this.#manifests.set(descriptor.digest, manifest);
    return undefined;
  }

  async #addBlobs({ config, layers }: ImageManifest): Promise<Descriptor | undefined> {
    const parts = [...layers.map(descriptor => ({ descriptor, layer: true })), { descriptor: config, layer: false }];
    for (const part of parts) {
      const { digest, mediaType } = part.descriptor;
      if (isForeignLayerType(mediaType)) continue;
      if ((await this.#content.info(digest)) === undefined) return part.descriptor;
      if (!this.#blobs.has(digest)) this.#blobs.set(digest, part);
    }
    return undefined;
  }

  done(note?: string): PushPlan {
    return {
      blobs: [...this.#blobs.values()],
      manifests: [...this.#manifests.values()],
      ...(note !== undefined && { note }),
    };
  }
}

const withPlatform = (descriptor: Descriptor, platform: Platform | undefined): Descriptor =>
  platform === undefined || descriptor.platform !== undefined ? descriptor : { ...descriptor, platform };

async function read(descriptor: Descriptor, content: BlobReader): Promise<FetchedManifest> {
  const bytes = await content.readBlob(descriptor.digest, manifestMaxBytes);
  return { descriptor: { mediaType: descriptor.mediaType, digest: descriptor.digest, size: bytes.byteLength }, bytes };
}
