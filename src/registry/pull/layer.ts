import { codeOf, isAlreadyExists } from '../../errdefs/index.ts';
import type { Digest } from '../../oci/index.ts';
import type { Repository } from '../client/repository.ts';
import type { PullLayerState } from '../progress.ts';
import type { LayerPlace, LayerWriter, PullStore } from '../store.ts';
import { download, WriteFailure } from './download.ts';
import { type Flight, type Flights, tell } from './flights.ts';
import type { Gate } from './gate.ts';
import { sourceLabels } from './labels.ts';

export interface LayerPull {
  readonly repositories: readonly Repository[];
  readonly domain: string;
  readonly store: PullStore;
  readonly flights: Flights;
  readonly gate: Gate;
  /** The pull of the layer below. */
  readonly below: Promise<void> | undefined;
  readonly onState: (state: PullLayerState) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Makes one layer's blob and, where the store unpacks, its snapshot exist. */
export async function pullLayer(place: LayerPlace, pull: LayerPull): Promise<void> {
  const { store, flights, onState, signal } = pull;
  const { digest } = place.descriptor;
  if (await isThere(place, store)) {
    onState({ state: 'alreadyExists' });
    return;
  }
  onState({ state: 'pullingFsLayer' });
  do {
    await flights.lookOn(digest, place.chainId, {
      onState,
      visible: async () => (await store.content.info(digest)) !== undefined,
      signal,
    });
    // Asked again through our own store, so that our lease holds what others fetched.
    if (await isThere(place, store)) {
      onState({ state: 'pullComplete' });
      return;
    }
    // Another one may have taken off while we asked.
  } while (flights.has(digest));
  await flights.fly(digest, place.chainId, flight => fetchLayer(place, pull, flight));
}

/** Whether nothing has to be done for a layer. */
export async function isThere({ descriptor, chainId }: LayerPlace, { content, unpacker }: PullStore): Promise<boolean> {
  if ((await content.info(descriptor.digest)) === undefined) return false;
  return unpacker === undefined || (await unpacker.exists(chainId));
}

type Say = (state: PullLayerState) => void;

async function fetchLayer(place: LayerPlace, pull: LayerPull, flight: Flight): Promise<void> {
  const say: Say = state => {
    tell(flight, state);
    pull.onState(state);
  };
  let { repositories } = pull;
  let orphaned = false;
  for (let restarted = false; ; ) {
    // Until the writer is open, the ingest's beginning is being read again.
    let resumedFrom: number | undefined;
    try {
      // The place is taken before the writer, so that a worker is chosen when there is work for it; it is given back before the
      // commit, which may wait for that of the layer below.
      using slot = await pull.gate.enter({ signal: pull.signal, onWait: () => say({ state: 'waiting' }) });
      const writer = await openWriter(place, pull);
      if (writer !== undefined) {
        resumedFrom = writer.offset;
        await fill(writer, place, { ...pull, repositories }, say);
        slot[Symbol.dispose]();
        say({ state: 'verifyingChecksum' });
        say({ state: 'downloadComplete' });
        if (pull.store.unpacker !== undefined) {
          say({ state: 'extracting', current: place.descriptor.size, total: place.descriptor.size });
        }
        flight.landed = true;
        await writer.commit();
      }
      say({ state: 'pullComplete' });
      return;
    } catch (err) {
      pull.signal?.throwIfAborted();
      const failure = err instanceof WriteFailure ? err.cause : err;
      if (codeOf(failure) === 'FailedPrecondition' && pull.below !== undefined && !orphaned) {
        // The layer below turned out false while we waited for it. It may come right yet; else its failure is ours.
        orphaned = true;
        await pull.below;
        continue;
      }
      if (!areFalseBytes(failure)) throw failure;
      flight.landed = false;
      // What an earlier try left may itself be what is wrong: it has been dropped, so once more from the start. Else this host's
      // bytes are wrong: the next host, if there is one.
      if (resumedFrom !== 0 && !restarted) {
        restarted = true;
        continue;
      }
      repositories = repositories.slice(1);
      if (repositories.length > 0) continue;
      throw failure;
    }
  }
}

/** Whether the bytes were not those of a layer, or not those of this one. */
const areFalseBytes = (err: unknown): boolean => ['DataLoss', 'InvalidArgument'].includes(codeOf(err));

/** Undefined when all is there after all. */
async function openWriter(place: LayerPlace, pull: LayerPull): Promise<LayerWriter | undefined> {
  const { content, unpacker } = pull.store;
  const { digest, size } = place.descriptor;
  const ref = layerRef(digest);
  const labels = sourceLabels(undefined, pull.domain, pull.repositories[0]?.path ?? '');
  try {
    if (unpacker === undefined) {
      return await content.writer({ ref, expected: { digest, size }, labels });
    }
    return await unpacker.layer(place, { ref, labels, ...(pull.signal !== undefined && { signal: pull.signal }) });
  } catch (err) {
    if (isAlreadyExists(err)) return undefined;
    throw err;
  }
}

/** The ingest's name: the same for every pull, so that the next one resumes. */
export const layerRef = (digest: Digest): string => `layer-${digest}`;

/** Brings the rest of the layer into the writer; closes it on a failure. */
async function fill(writer: LayerWriter, { descriptor }: LayerPlace, pull: LayerPull, say: Say): Promise<void> {
  // `write` rejects with the same; unobserved, this would end the process.
  writer.failed?.catch(() => {});
  try {
    if (writer.offset < descriptor.size) {
      await download(pull.repositories, descriptor, writer, {
        onProgress: (current, total) => say({ state: 'downloading', current, total }),
        onRetry: seconds => say({ state: 'retrying', seconds }),
        signal: pull.signal,
      });
    }
    pull.signal?.throwIfAborted();
  } catch (err) {
    await writer.close().catch(() => {});
    throw err;
  }
}
