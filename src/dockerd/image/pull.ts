// POST /images/create?fromImage= (moby daemon/containerd/image_pull.go).

import type { Platform } from '../../oci/index.ts';
import {
  type AuthConfig,
  familiarName,
  familiarString,
  formatReference,
  parseReference,
  type Reference,
  trimNamed,
  withDigest,
  withTag,
} from '../../registry/index.ts';
import type { ImageDeps } from './deps.ts';
import { nameTarget } from './naming.ts';
import { type Output, pullMessage } from './progress.ts';

export interface PullRequest {
  /** `fromImage` and `tag` of the call; without a tag in either, all tags are pulled. `tag` may be a digest. */
  readonly fromImage: string;
  readonly tag?: string;
  readonly platform?: Platform;
  readonly auth?: AuthConfig;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** What is kept of a pull that failed, so that the next one need not fetch it again. */
const keptMs = 3600 * 1000;

export function pullReference(fromImage: string, tag = ''): Reference {
  const reference = parseReference(fromImage);
  if (tag === '') return reference;
  if (tag.includes(':')) return withDigest(reference, parseReference(`${familiarName(reference)}@${tag}`).digest!);
  return withTag(reference, tag);
}

/** Throws before anything is fetched where the reference is none; what fails later is thrown too, after output. */
export async function pullImage(deps: ImageDeps, request: PullRequest, output: Output): Promise<void> {
  const reference = pullReference(request.fromImage, request.tag);
  if (reference.tag !== undefined || reference.digest !== undefined) {
    await pullOne(deps, reference, request, output);
    return;
  }
  for (const tag of await deps.registry.tags({ reference, ...common(request) })) {
    await pullOne(deps, withTag(reference, tag), request, output);
  }
}

async function pullOne(deps: ImageDeps, reference: Reference, request: PullRequest, output: Output): Promise<void> {
  const { containerd, registry, events } = deps;
  // Not ended on failure: what was fetched is there for the next try, until the lease runs out.
  const lease = containerd.leases.create({ expiresAt: new Date(Date.now() + keptMs), labels: { operation: 'pull' } });
  const result = await registry.pull({
    reference,
    store: containerd.leased(lease.id),
    ...(request.platform !== undefined && { platform: request.platform }),
    onEvent: event => output(pullMessage(event)),
    ...common(request),
  });
  const { digest } = reference;
  const name = formatReference(digest === undefined ? reference : withDigest(trimNamed(reference), digest));
  const before = containerd.images.get(name);
  nameTarget(containerd, name, result.target);
  lease[Symbol.dispose]();
  const fresh = before?.target.digest !== result.target.digest || !result.upToDate;
  output({ status: `Digest: ${result.target.digest}` });
  const words = familiarString(reference);
  output({
    status: fresh ? `Status: Downloaded newer image for ${words}` : `Status: Image is up to date for ${words}`,
  });
  deps.stored?.();
  events.publish('image', 'pull', words, { ...result.config.config?.Labels, name: familiarName(reference) });
}

const common = ({ auth, headers, signal }: PullRequest) => ({
  ...(auth !== undefined && { auth }),
  ...(headers !== undefined && { headers }),
  ...(signal !== undefined && { signal }),
});
