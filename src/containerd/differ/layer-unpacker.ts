import { AlreadyExists, Canceled, FailedPrecondition, InvalidArgument } from '../../errdefs/index.ts';
import type { Digest } from '../../oci/index.ts';
import type { Labels } from '../content/content-store.ts';
import { isFalseContent, type LocalContentStore, oncePrefix } from '../content/local/local-content-store.ts';
import type { OverlaySnapshotter, Stage } from '../snapshots/overlay/overlay-snapshotter.ts';
import type { UnpackLimits } from './apply/limits.ts';
import type { LayerOptions, LayerPlace, LayerWriter, StagedLayer, StagedLayerWriter, Unpacker } from './unpacker.ts';
import type { RemoteSession, WorkerPool } from './worker/pool.ts';
import type { SessionResult } from './worker/protocol.ts';

interface Waiter {
  resolve(): void;
  reject(err: Error): void;
}

/** Unpacks in worker threads, into a folder of the snapshotter's that is made a snapshot at the end. */
export class LayerUnpacker implements Unpacker {
  readonly #content: LocalContentStore;
  readonly #snapshotter: OverlaySnapshotter;
  readonly #workers: WorkerPool;
  readonly #limits: UnpackLimits;
  /** Commits that wait for the layer below, by its chain id. */
  readonly #waiting = new Map<string, Set<Waiter>>();
  #stages = 0;

  constructor(content: LocalContentStore, snapshotter: OverlaySnapshotter, workers: WorkerPool, limits: UnpackLimits) {
    this.#content = content;
    this.#snapshotter = snapshotter;
    this.#workers = workers;
    this.#limits = limits;
  }

  async exists(chainId: Digest): Promise<boolean> {
    return this.#snapshotter.rows.get(chainId)?.kind === 'committed';
  }

  async layer(place: LayerPlace, options: LayerOptions): Promise<LayerWriter> {
    const { digest, size } = place.descriptor;
    const stored = this.#content.rows.get(digest) !== undefined;
    if (stored && options.lease !== undefined) this.#content.hold(digest, options.lease);
    const unpacked = await this.exists(place.chainId);
    if (unpacked && options.lease !== undefined) this.#snapshotter.rows.hold(place.chainId, options.lease);
    if (stored && unpacked) throw new AlreadyExists(`layer ${digest} already exists`);
    const stage = unpacked ? undefined : this.#snapshotter.stage();
    try {
      if (!stored) this.#content.claim(options.ref);
      const session = await this.#workers.open({
        ...(stored ? { blob: this.#content.path(digest) } : { ingest: this.#content.ingest(options.ref) }),
        ...(stage !== undefined && { directory: stage.directory }),
        expected: { digest, size, diffId: place.diffId },
        limits: this.#limits,
      });
      return this.#toWriter(session, place, options, stage, stored);
    } catch (err) {
      if (stage !== undefined) this.#snapshotter.dropStage(stage);
      if (!stored && isFalseContent(err)) this.#content.drop(options.ref);
      if (!stored) this.#content.release(options.ref);
      throw err;
    }
  }

  #toWriter(
    session: RemoteSession,
    place: LayerPlace,
    options: LayerOptions,
    stage: Stage | undefined,
    stored: boolean,
  ): LayerWriter {
    const { ref, labels, lease, signal } = options;
    const { digest, size } = place.descriptor;
    const giveUp = (err: unknown) => {
      if (!stored) {
        if (isFalseContent(err)) this.#content.drop(ref);
        this.#content.release(ref);
      }
      if (stage !== undefined) this.#snapshotter.dropStage(stage);
      if (isFalseContent(err)) this.#settleWaiters(place.chainId, err as Error);
    };
    return {
      get offset() {
        return session.offset;
      },
      get unpackedBytes() {
        return session.unpackedBytes;
      },
      failed: session.failed,
      write: bytes => session.write(bytes),
      commit: async () => {
        try {
          const result = await session.end();
          if (place.parent === undefined) refuseDeferred(result);
          if (!stored) {
            this.#content.publish(ref, digest, size, labels, lease);
            this.#content.release(ref);
          }
          if (stage !== undefined) await this.#commitStage(stage, result, place, lease, signal);
        } catch (err) {
          giveUp(err);
          throw err;
        }
      },
      close: async () => {
        await session.close();
        giveUp(session.error);
      },
    };
  }

  async stage(options: { lease?: string; labels?: Labels } = {}): Promise<StagedLayerWriter> {
    const ref = `${oncePrefix}stage-${process.pid}-${performance.now()}-${this.#stages++}`;
    const stage = this.#snapshotter.stage();
    const ingest = this.#content.claim(ref);
    const drop = () => {
      this.#content.drop(ref);
      this.#content.release(ref);
      this.#snapshotter.dropStage(stage);
    };
    try {
      const session = await this.#workers.open({ ingest, directory: stage.directory, limits: this.#limits });
      return {
        write: bytes => session.write(bytes),
        finish: async () => {
          try {
            return this.#toStaged(await session.end(), stage, ref, options, drop);
          } catch (err) {
            drop();
            throw err;
          }
        },
        drop: async () => {
          await session.close();
          drop();
        },
      };
    } catch (err) {
      drop();
      throw err;
    }
  }

  #toStaged(
    result: SessionResult,
    stage: Stage,
    ref: string,
    { labels, lease }: { lease?: string; labels?: Labels },
    drop: () => void,
  ): StagedLayer {
    const digest = result.digest as Digest;
    const { diffId, usage } = result.unpacked!;
    const publish = () => {
      if (this.#content.rows.get(digest) === undefined) {
        this.#content.publish(ref, digest, result.size, labels, lease);
      } else {
        if (lease !== undefined) this.#content.hold(digest, lease);
        this.#content.drop(ref);
      }
      this.#content.release(ref);
    };
    return {
      digest,
      size: result.size,
      diffId: diffId as Digest,
      usage,
      commit: async place => {
        publish();
        await this.#commitStage(stage, result, place, lease, undefined);
      },
      commitBlob: async () => {
        publish();
        this.#snapshotter.dropStage(stage);
      },
      drop: async () => drop(),
    };
  }

  async #commitStage(
    stage: Stage,
    result: SessionResult,
    { chainId, parent }: { chainId: Digest; parent?: Digest },
    lease: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { usage, implied, deferredLinks } = result.unpacked!;
    if (parent !== undefined) await this.#parentThere(parent, signal);
    if (implied.length > 0 || deferredLinks.length > 0) {
      const lowerdirs = parent === undefined ? [] : this.#snapshotter.layers(parent);
      if (lowerdirs.length > 0 || deferredLinks.length > 0) {
        await this.#workers.run({ kind: 'settle', root: stage.directory, lowerdirs, implied, deferredLinks });
      }
    }
    if (await this.exists(chainId)) {
      // Someone else was faster.
      if (lease !== undefined) this.#snapshotter.rows.hold(chainId, lease);
      this.#snapshotter.dropStage(stage);
    } else {
      this.#snapshotter.commitStage(stage, {
        name: chainId,
        parent: parent ?? '',
        usage,
        ...(lease !== undefined && { lease }),
      });
    }
    this.#settleWaiters(chainId);
  }

  /** Resolves when the layer below is committed; rejects when it turned out to be false, or who waits has given up. */
  async #parentThere(parent: Digest, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (await this.exists(parent)) return;
    const waiters = this.#waiting.get(parent) ?? new Set<Waiter>();
    this.#waiting.set(parent, waiters);
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = { resolve, reject };
      waiters.add(waiter);
      signal?.addEventListener(
        'abort',
        () => {
          waiters.delete(waiter);
          reject(new Canceled('unpacking was given up while waiting for the layer below'));
        },
        { once: true },
      );
    });
  }

  #settleWaiters(chainId: Digest, err?: Error): void {
    const waiters = this.#waiting.get(chainId);
    this.#waiting.delete(chainId);
    for (const waiter of waiters ?? []) {
      if (err === undefined) waiter.resolve();
      else waiter.reject(new FailedPrecondition('the layer below could not be unpacked', { cause: err }));
    }
  }
}

/** In the lowest layer, nothing below can have the target of a hard link. */
function refuseDeferred({ unpacked }: SessionResult): void {
  const [link] = unpacked?.deferredLinks ?? [];
  if (link === undefined) return;
  throw new InvalidArgument(`failed to unpack "${link.path}": hard link target "${link.target}" does not exist`);
}
