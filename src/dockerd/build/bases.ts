// The images that stages start from: the engine's own, else those of a registry, which are fetched without being given a name here.

import type { BaseImages, BuildClient, RefLayer, ResolvedImage } from '../../build/index.ts';
import type { Containerd } from '../../containerd/index.ts';
import { isNotFound, NotFound } from '../../errdefs/index.ts';
import type { Descriptor, ImageConfig, ImageManifest, Platform } from '../../oci/index.ts';
import {
  formatReference,
  parseReference,
  type Reference,
  type Registry,
  registryKey,
  withDefaultTag,
} from '../../registry/index.ts';
import { chainIds, requireManifest } from '../image/manifests.ts';
import { resolveImage } from '../image/names.ts';
import { unpackImage } from '../image/runnable.ts';

type Resolve = Parameters<BaseImages['resolve']>[2];

/** How long what was fetched is kept while nothing refers to it: the next build is likely to want it. */
const keptMs = 24 * 3600 * 1000;
const maxRemembered = 1000;

interface Found {
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
}

export class Bases implements BaseImages {
  readonly #containerd: Containerd;
  readonly #registry: Registry;
  /** What a resolved digest is, for `layers`. */
  readonly #found = new Map<string, Found>();

  constructor(containerd: Containerd, registry: Registry) {
    this.#containerd = containerd;
    this.#registry = registry;
  }

  name(text: string): string {
    return formatReference(withDefaultTag(parseReference(text)));
  }

  async resolve(text: string, platform: Platform, options: Resolve): Promise<ResolvedImage> {
    if (!options.pull) {
      const here = await this.#local(text, platform);
      if (here !== undefined) return here;
    }
    const reference = withDefaultTag(parseReference(text));
    return await this.#pull(reference, platform, options);
  }

  async layers(
    { reference, digest }: { readonly reference: string; readonly digest: string },
    _platform: Platform,
    { lease }: Parameters<BaseImages['layers']>[2],
  ): Promise<readonly RefLayer[]> {
    const found = this.#found.get(digest);
    if (found === undefined) throw new NotFound(`${reference}: not found`);
    const { manifest, config } = found;
    const store = this.#containerd.leased(lease);
    // Asked for through the lease, they are kept by it.
    for (const chain of chainIds(config)) await store.unpacker.exists(chain);
    return await Promise.all(
      config.rootfs.diff_ids.map(async (diffId, i) => {
        const descriptor = manifest.layers[i]!;
        await store.content.info(descriptor.digest);
        return { descriptor: plain(descriptor), diffId };
      }),
    );
  }

  async #local(text: string, platform: Platform): Promise<ResolvedImage | undefined> {
    try {
      const { target, name } = resolveImage(this.#containerd.images, text);
      const view = await requireManifest(this.#containerd, target, platform, text);
      await unpackImage(this.#containerd, view);
      const reference = name?.name ?? formatReference(withDefaultTag(parseReference(text)));
      return this.#remember(reference, view.descriptor.digest, view);
    } catch (err) {
      if (isNotFound(err)) return undefined;
      throw err;
    }
  }

  async #pull(reference: Reference, platform: Platform, { client, signal }: Resolve): Promise<ResolvedImage> {
    const auth = await credentials(client, reference, signal);
    const lease = this.#containerd.leases.create({ expiresAt: new Date(Date.now() + keptMs) });
    const store = this.#containerd.leased(lease.id);
    const pulled = await this.#registry.pull({
      reference,
      platform,
      store,
      signal,
      ...(auth !== undefined && { auth }),
    });
    const document = await this.#containerd.documents.load(pulled.manifest);
    if (document?.kind !== 'manifest') throw new NotFound(`${formatReference(reference)}: not found`);
    const name = `${formatReference(reference)}${reference.digest === undefined ? `@${pulled.target.digest}` : ''}`;
    return this.#remember(name, pulled.manifest.digest, { manifest: document.manifest, config: pulled.config });
  }

  #remember(reference: string, digest: string, found: Found): ResolvedImage {
    if (this.#found.size >= maxRemembered) this.#found.clear();
    this.#found.set(digest, { manifest: found.manifest, config: found.config });
    return { reference, digest, config: found.config };
  }
}

const plain = ({ mediaType, digest, size }: Descriptor): Descriptor => ({ mediaType, digest, size });

async function credentials(client: BuildClient, { domain }: Reference, signal: AbortSignal) {
  return await client.credentials(registryKey(domain), signal);
}
