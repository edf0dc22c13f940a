// POST /images/{name}/push (moby daemon/containerd/image_push.go).

import { NotFound } from '../../errdefs/index.ts';
import type { Platform } from '../../oci/index.ts';
import {
  type AuthConfig,
  familiarName,
  familiarString,
  formatReference,
  parseReference,
  type Reference,
  repositoryName,
  withTag,
} from '../../registry/index.ts';
import type { ImageDeps } from './deps.ts';
import { isDangling } from './names.ts';
import { type Output, pushMessage } from './progress.ts';

export interface PushRequest {
  readonly name: string;
  /** '' pushes all tags of the repository that are here. */
  readonly tag: string;
  readonly platform?: Platform;
  readonly auth?: AuthConfig;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export async function pushImage(deps: ImageDeps, request: PushRequest, output: Output): Promise<void> {
  const { name, tag } = request;
  const named = parseReference(name);
  const reference = tag === '' ? named : withTag(named, tag);
  if (reference.tag !== undefined || reference.digest !== undefined) {
    await pushOne(deps, reference, request, output);
    return;
  }
  const repository = repositoryName(reference);
  const all = deps.containerd.images
    .list()
    .filter(image => !isDangling(image))
    .map(image => parseReference(image.name))
    .filter(candidate => candidate.tag !== undefined && repositoryName(candidate) === repository);
  if (all.length === 0) {
    throw new NotFound(`An image does not exist locally with the tag: ${familiarName(reference)}`);
  }
  for (const one of all) await pushOne(deps, one, request, output);
}

async function pushOne(deps: ImageDeps, reference: Reference, request: PushRequest, output: Output): Promise<void> {
  const { containerd, registry, events } = deps;
  const image = containerd.images.get(formatReference(reference));
  if (image === undefined) {
    output({ status: `The push refers to repository [${repositoryName(reference)}]` });
    throw new NotFound(`An image does not exist locally with the tag: ${familiarName(reference)}`);
  }
  const { auth, headers, platform, signal } = request;
  const result = await registry.push({
    reference,
    target: image.target,
    content: containerd.content,
    ...(platform !== undefined && { platform }),
    onEvent: event => output(pushMessage(event)),
    ...(auth !== undefined && { auth }),
    ...(headers !== undefined && { headers }),
    ...(signal !== undefined && { signal }),
  });
  output({
    progressDetail: {},
    aux: { Tag: reference.tag ?? '', Digest: result.target.digest, Size: result.target.size },
  });
  events.publish('image', 'push', familiarString(reference), { name: familiarName(reference) });
}
