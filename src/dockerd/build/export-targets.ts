// Where results go: images of the engine, archives, trees of files.

import type { Builder, BuildResult } from '../../build/index.ts';
import { type Descriptor, digestHex } from '../../oci/index.ts';
import {
  type AuthConfig,
  familiarString,
  formatReference,
  parseReference,
  registryKey,
  withDefaultTag,
} from '../../registry/index.ts';
import { sessionHost } from '../buildkit/control/client.ts';
import type { ExportTargets } from '../buildkit/control/exporters.ts';
import { sendTree } from '../buildkit/session/send-tree.ts';
import type { Session } from '../buildkit/session/session.ts';
import type { ImageDeps } from '../image/deps.ts';
import { danglingName } from '../image/names.ts';
import { nameTarget } from '../image/naming.ts';
import { pushImage } from '../image/push.ts';
import { saveImages } from '../image/save.ts';
import { newName } from '../image/tag.ts';

type Plan = Parameters<typeof saveImages>[1];

export class DaemonTargets implements ExportTargets {
  readonly #deps: ImageDeps;
  readonly #builder: Builder;

  constructor(deps: ImageDeps, builder: Builder) {
    this.#deps = deps;
    this.#builder = builder;
  }

  tag(name: string, target: Descriptor): string {
    const { containerd, events } = this.#deps;
    const reference = newName(name, '')!;
    const stored = formatReference(reference);
    nameTarget(containerd, stored, target);
    events.publish('image', 'tag', target.digest, { name: familiarString(reference) });
    return stored;
  }

  keep(target: Descriptor): void {
    const { containerd } = this.#deps;
    if (containerd.images.listByTarget(target.digest).length > 0) return;
    nameTarget(containerd, danglingName(target.digest), target);
  }

  async pushOnly(name: string, target: Descriptor, session: Session | undefined, signal: AbortSignal): Promise<void> {
    const { images } = this.#deps.containerd;
    const stored = formatReference(newName(name, '')!);
    const before = images.get(stored);
    images.put({ name: stored, target });
    try {
      await this.push(stored, session, signal);
    } finally {
      if (before === undefined) images.delete(stored);
      else images.put(before);
    }
  }

  async push(name: string, session: Session | undefined, signal: AbortSignal): Promise<void> {
    const reference = withDefaultTag(parseReference(name));
    const login = await session?.credentials(sessionHost(reference.domain), signal);
    const auth: AuthConfig | undefined = login && { ...login, serveraddress: registryKey(reference.domain) };
    await pushImage(
      this.#deps,
      { name: formatReference(reference), tag: '', signal, ...(auth !== undefined && { auth }) },
      () => {},
    );
  }

  async *archive(target: Descriptor, names: readonly string[], format: 'docker' | 'oci'): AsyncGenerator<Uint8Array> {
    yield* saveImages(this.#deps, await this.#plan(target, names, format));
  }

  filesTar(result: BuildResult): AsyncIterable<Uint8Array> {
    return this.#builder.filesTar(result);
  }

  async sendFiles(result: BuildResult, session: Session, exporterId: string, signal: AbortSignal): Promise<void> {
    await sendTree(session.sendTree(exporterId, {}, signal), await this.#builder.files(result));
  }

  async #plan(target: Descriptor, names: readonly string[], format: 'docker' | 'oci'): Promise<Plan> {
    const { documents } = this.#deps.containerd;
    const blobs = new Map<string, Descriptor>();
    const docker: Plan['docker'] = [];
    const references = names.map(name => withDefaultTag(parseReference(name)));
    const path = ({ digest }: Descriptor): string => `blobs/sha256/${digestHex(digest)}`;
    const visit = async (descriptor: Descriptor): Promise<void> => {
      blobs.set(descriptor.digest, descriptor);
      const document = await documents.load(descriptor);
      if (document?.kind === 'index') for (const entry of document.index.manifests) await visit(entry);
      else if (document?.kind === 'manifest') {
        const { config, layers } = document.manifest;
        for (const blob of [config, ...layers]) blobs.set(blob.digest, blob);
        if (format === 'docker')
          docker.push({ Config: path(config), RepoTags: references.map(familiarString), Layers: layers.map(path) });
      }
    };
    await visit(target);
    const index = references.map(reference => ({
      ...target,
      annotations: {
        'io.containerd.image.name': formatReference(reference),
        'org.opencontainers.image.created': new Date().toISOString(),
        'org.opencontainers.image.ref.name': reference.tag!,
      },
    }));
    return { blobs, docker, index: index.length === 0 ? [target] : index };
  }
}
