import { EngineError, InvalidArgument, NotFound, PermissionDenied } from '../../errdefs/index.ts';
import {
  chainId,
  choosePlatform,
  type Descriptor,
  formatPlatform,
  formatPlatformFully,
  hostPlatform,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  isAttestation,
  isForeignLayerType,
  isImageConfigType,
  isManifestType,
  normalizePlatform,
  type Platform,
  parseImageConfig,
  parseManifest,
  platformRank,
} from '../../oci/index.ts';
import { type FetchedManifest, getManifest, manifestMaxBytes } from '../client/manifests.ts';
import type { Repository } from '../client/repository.ts';
import { type PullEvent, shortId } from '../progress.ts';
import { familiarString, type Reference } from '../reference/reference.ts';
import type { LayerPlace, PullStore } from '../store.ts';
import type { Flights } from './flights.ts';
import type { Gate } from './gate.ts';
import { sourceLabels } from './labels.ts';
import { isThere, pullLayer } from './layer.ts';
import { resolveManifest, tagOrDigest } from './resolve.ts';
import { smallBlob } from './small-blobs.ts';

export interface Pull {
  readonly reference: Reference;
  readonly repositories: readonly Repository[];
  readonly store: PullStore;
  readonly platform: Platform | undefined;
  readonly flights: Flights;
  readonly gate: Gate;
  readonly onEvent: (event: PullEvent) => void;
  readonly signal: AbortSignal | undefined;
}

export interface PullResult {
  /** What the image's name points at: the index where there is one. */
  readonly target: Descriptor;
  /** The manifest chosen for the platform; the target itself where there is no index. */
  readonly manifest: Descriptor;
  readonly config: ImageConfig;
  readonly configDescriptor: Descriptor;
  /** Of all layers; absent for an image without any. */
  readonly chainId?: string;
  /** Whether nothing had to be fetched. */
  readonly upToDate: boolean;
}

/** An index in an index in an index: no one needs more. */
const maxDepth = 4;
/** What overlayfs can stack, and some. */
const maxLayers = 500;

/**
 * Pulls one image:
 *
 *     1 resolve the reference         HEAD, GET unless the store has it
 *     2 choose the platform's manifest, down through indexes; store them
 *     3 fetch the config, check that it and the manifest fit
 *     4 fetch and unpack the layers, several at once
 */
export async function pull(options: Pull): Promise<PullResult> {
  const { reference, store, onEvent } = options;
  if (reference.domain === 'docker.io' && reference.path === 'library/scratch') {
    throw new PermissionDenied("'scratch' is a reserved name");
  }
  const lookUp = async (digest: Descriptor['digest']): Promise<Uint8Array | undefined> =>
    (await store.content.info(digest)) === undefined ? undefined : store.content.readBlob(digest, manifestMaxBytes);
  const { manifest: top, repositories } = await resolveManifest(options.repositories, reference, lookUp);
  onEvent({ kind: 'pulling', path: reference.path, tag: tagOrDigest(reference) });

  const fetching = { ...options, repositories };
  const chosen = await chooseManifest(top, fetching, lookUp);
  const { config: configDescriptor, layers } = chosen.manifest;
  if (!isImageConfigType(configDescriptor.mediaType)) {
    throw new InvalidArgument(`encountered remote "${configDescriptor.mediaType}"(unknown) when fetching`);
  }
  const configWasThere = (await store.content.info(configDescriptor.digest)) !== undefined;
  const config = parseImageConfig(await smallBlob(repositories, reference.domain, configDescriptor, store.content));
  checkPlatform(config, options);
  const places = placeLayers(layers, config);
  // As moby, which does not list the layers of an image that is there as it is.
  const upToDate = configWasThere && (await areThere(places, store));
  if (!upToDate) await pullLayers(places, fetching);
  return {
    target: top.descriptor,
    manifest: chosen.descriptor,
    config,
    configDescriptor,
    ...(places.length > 0 && { chainId: (places.at(-1) as LayerPlace).chainId }),
    upToDate,
  };
}

interface Chosen {
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
}

async function chooseManifest(
  top: FetchedManifest,
  options: Pull,
  lookUp: (digest: Descriptor['digest']) => Promise<Uint8Array | undefined>,
): Promise<Chosen> {
  const { store, reference, repositories } = options;
  let at = top;
  for (let depth = 0; depth < maxDepth; depth++) {
    const parsed = parseManifest(at.bytes, at.descriptor.mediaType);
    await store.content.writeBlob(at.bytes, { labels: sourceLabels(undefined, reference.domain, reference.path) });
    if (parsed.kind === 'manifest') return { descriptor: at.descriptor, manifest: parsed.manifest };
    const entry = chooseEntry(parsed.index, options.platform);
    const known = await lookUp(entry.digest);
    at =
      known === undefined
        ? await fromAny(repositories, repository => getManifest(repository, entry.digest))
        : { descriptor: entry, bytes: known };
    // The index's word for what it is; parseManifest holds the manifest itself to it.
    at = {
      descriptor: { mediaType: entry.mediaType, digest: entry.digest, size: at.bytes.byteLength },
      bytes: at.bytes,
    };
  }
  throw new InvalidArgument(`${familiarString(reference)}: indexes are nested more than ${maxDepth} deep`);
}

function chooseEntry(index: ImageIndex, platform: Platform | undefined): Descriptor {
  const images = index.manifests.filter(entry => !isAttestation(entry));
  const wanted = platform ?? hostPlatform();
  const entry =
    choosePlatform(images, wanted) ??
    // An index need not say for what its entries are (image-spec image-index.md); then the config will.
    images.find(other => other.platform === undefined && isManifestType(other.mediaType));
  if (entry !== undefined) return entry;
  // The host's CPU level is how we choose, not what anyone asked for.
  const { variant: _, ...plain } = wanted;
  const words = platform === undefined ? formatPlatformFully(plain) : formatPlatform(platform);
  throw new NotFound(`no matching manifest for ${words} in the manifest list entries`);
}

async function fromAny<T>(
  repositories: readonly Repository[],
  get: (repository: Repository) => Promise<T>,
): Promise<T> {
  let failure: unknown;
  for (const repository of repositories) {
    try {
      return await get(repository);
    } catch (err) {
      repository.session.signal?.throwIfAborted();
      failure = err;
    }
  }
  throw failure;
}

/** A manifest alone is pulled for whatever platform it is; who asked for another one is told, in moby's words. */
function checkPlatform(config: ImageConfig, { platform, reference, onEvent }: Pull): void {
  const { os, architecture, variant } = config;
  const have: Platform = normalizePlatform({
    os: os ?? '',
    architecture: architecture ?? '',
    ...(variant !== undefined && { variant }),
  });
  if (platform === undefined || platformRank(platform, have) !== undefined) return;
  onEvent({
    kind: 'warning',
    message: `WARNING: image with reference ${familiarString(reference)} was found but its platform (${formatPlatform(have)}) does not match the specified platform (${formatPlatform(platform)})`,
  });
}

function placeLayers(layers: readonly Descriptor[], config: ImageConfig): LayerPlace[] {
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== layers.length) {
    throw new InvalidArgument(
      `mismatched image rootfs and manifest layers: ${diffIds.length} diff ids, ${layers.length} layers`,
    );
  }
  if (layers.length > maxLayers) throw new InvalidArgument(`image has ${layers.length} layers, more than ${maxLayers}`);
  let parent: LayerPlace['parent'];
  return layers.map((descriptor, index) => {
    if (isForeignLayerType(descriptor.mediaType)) {
      throw new InvalidArgument(
        `layer ${descriptor.digest} is a foreign layer (${descriptor.mediaType}): registries do not hold it, and only Windows images have such; it is not fetched`,
      );
    }
    const diffId = diffIds[index] as LayerPlace['diffId'];
    const id = parent === undefined ? diffId : chainId([parent, diffId]);
    const place: LayerPlace = { descriptor, diffId, chainId: id, ...(parent !== undefined && { parent }) };
    parent = id;
    return place;
  });
}

async function areThere(places: readonly LayerPlace[], store: PullStore): Promise<boolean> {
  for (const place of places) if (!(await isThere(place, store))) return false;
  return true;
}

/** The first failure ends the others, and is the one that is told. */
async function pullLayers(places: readonly LayerPlace[], options: Pull): Promise<void> {
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const repositories = options.repositories.map(repository => repository.withSignal(signal));
  const run = async (place: LayerPlace, below: Promise<void> | undefined): Promise<void> => {
    const { digest } = place.descriptor;
    try {
      await pullLayer(place, {
        ...options,
        repositories,
        domain: options.reference.domain,
        below,
        signal,
        onState: state => {
          options.onEvent({ kind: 'layer', digest, id: shortId(digest), ...state });
        },
      });
    } catch (err) {
      if (!stop.signal.aborted) stop.abort(err);
      throw err;
    }
  };
  const work: Promise<void>[] = [];
  for (const place of places) work.push(run(place, work.at(-1)));
  // All have ended before the failure is told: nobody writes on behind the caller's back.
  await Promise.allSettled(work);
  options.signal?.throwIfAborted();
  if (stop.signal.aborted)
    throw stop.signal.reason instanceof Error
      ? stop.signal.reason
      : new EngineError('Unknown', String(stop.signal.reason));
}
