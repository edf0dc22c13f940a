import { EngineError } from '../../errdefs/index.ts';
import type { Descriptor, Platform } from '../../oci/index.ts';
import { NoCredentials } from '../auth/authorizer.ts';
import { hasBlob } from '../client/blobs.ts';
import { type FetchedManifest, putManifest } from '../client/manifests.ts';
import type { Repository } from '../client/repository.ts';
import { mountBlob, uploadBlob } from '../client/upload.ts';
import { isTransient, RegistryError } from '../http/answer.ts';
import { type PushEvent, type PushLayerState, shortId } from '../progress.ts';
import type { Gate } from '../pull/gate.ts';
import { sourceLabels, sources } from '../pull/labels.ts';
import { withoutPrompt } from '../pull/words.ts';
import { type Reference, repositoryName } from '../reference/reference.ts';
import type { BlobReader } from '../store.ts';
import { planPush } from './plan.ts';

export interface Push {
  readonly reference: Reference;
  readonly repository: Repository;
  readonly target: Descriptor;
  readonly content: BlobReader;
  readonly platform?: Platform;
  readonly chunkBytes?: number;
  readonly gate: Gate;
  readonly onEvent: (event: PushEvent) => void;
  readonly signal?: AbortSignal;
}

export interface PushResult {
  /** What the tag names in the registry now. */
  readonly target: Descriptor;
  /** Whether that is not the target asked for, but the one manifest of it that is here. */
  readonly partial: boolean;
}

const progressEveryMs = 100;

/** Pushes one image: what the registry lacks of the blobs, several at once; then the manifests, one after the other. */
export async function push(options: Push): Promise<PushResult> {
  const { reference, repository, onEvent } = options;
  onEvent({ kind: 'repository', name: repositoryName(reference) });
  const plan = await planPush(options.target, options.content, options.platform);
  await repository.session.authorizer.ping(repository.host, options.signal);
  for (const { descriptor, layer } of plan.blobs) if (layer) tell(options, descriptor, { state: 'preparing' });
  try {
    await pushBlobs(plan.blobs, options);
    const tag = reference.tag ?? reference.digest ?? 'latest';
    for (const manifest of plan.manifests.slice(0, -1))
      await putManifest(repository, manifest.descriptor.digest, manifest);
    const top = plan.manifests.at(-1) as FetchedManifest;
    await putManifest(repository, tag, top);
    if (plan.note !== undefined) onEvent({ kind: 'note', message: plan.note });
    onEvent({ kind: 'pushedManifest', reference: tag, target: top.descriptor });
    return { target: top.descriptor, partial: plan.note !== undefined };
  } catch (err) {
    throw pushFailure(err);
  }
}

/** In moby's words: push tells the reason alone. */
function pushFailure(err: unknown): unknown {
  if (err instanceof NoCredentials) return new EngineError('Unknown', 'no basic auth credentials');
  if (err instanceof RegistryError && err.entries.length > 1) {
    const first = err.message.split('\n')[0] as string;
    return withoutPrompt(new RegistryError(err.code, first, err.status, err.entries, err.retryAfterMs));
  }
  return withoutPrompt(err);
}

async function pushBlobs(blobs: readonly { descriptor: Descriptor; layer: boolean }[], options: Push): Promise<void> {
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const repository = options.repository.withSignal(signal);
  const work = blobs.map(async ({ descriptor, layer }) => {
    const say = (state: PushLayerState): void => {
      if (layer) tell(options, descriptor, state);
    };
    try {
      await pushBlob(descriptor, { ...options, repository, signal }, say);
    } catch (err) {
      if (!stop.signal.aborted) stop.abort(err);
      throw err;
    }
  });
  await Promise.allSettled(work);
  options.signal?.throwIfAborted();
  if (stop.signal.aborted) throw stop.signal.reason;
}

async function pushBlob(
  descriptor: Descriptor,
  options: Push & { signal: AbortSignal },
  say: (state: PushLayerState) => void,
): Promise<void> {
  const { repository, reference, content, gate, signal } = options;
  const { digest, size } = descriptor;
  using _place = await gate.enter({ signal, onWait: () => say({ state: 'waiting' }) });
  const labels = (await content.info(digest))?.labels;
  const remember = async (): Promise<void> =>
    content.label?.(digest, sourceLabels(labels, reference.domain, reference.path));
  if (await hasBlob(repository, descriptor)) {
    say({ state: 'layerAlreadyExists' });
    return remember();
  }
  let address: URL | undefined;
  for (const from of sources(labels, reference.domain)
    .filter(path => path !== reference.path)
    .slice(0, 3)) {
    const mounted = await mountBlob(repository, descriptor, from).catch(err => {
      signal.throwIfAborted();
      // No right to read there (some token servers then give no token at all), or gone: then it is uploaded.
      if (isTransient(err)) throw err;
      return undefined;
    });
    if (mounted === 'mounted') {
      say({ state: 'mountedFrom', repository: from });
      return remember();
    }
    address = mounted ?? address;
    if (address !== undefined) break;
  }
  let next = 0;
  await uploadBlob(repository, descriptor, start => content.read(digest, { start, signal }), {
    ...(address !== undefined && { address }),
    ...(options.chunkBytes !== undefined && { chunkBytes: options.chunkBytes }),
    onProgress: current => {
      const now = performance.now();
      if (now < next) return;
      next = now + progressEveryMs;
      say({ state: 'pushing', current, total: size });
    },
    onRetry: seconds => say({ state: 'retrying', seconds }),
  });
  say({ state: 'pushed' });
  await remember();
}

function tell({ onEvent }: Push, { digest }: Descriptor, state: PushLayerState): void {
  onEvent({ kind: 'layer', digest, id: shortId(digest), ...state });
}
