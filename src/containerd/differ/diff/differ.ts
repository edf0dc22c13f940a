// The differ: what an active snapshot changed, as the blob of a layer (containerd's diff service, Compare).

import type { Digest } from '../../../oci/index.ts';
import { type LocalContentStore, oncePrefix } from '../../content/local/local-content-store.ts';
import { crashPoint } from '../../crash-point.ts';
import type { OverlaySnapshotter } from '../../snapshots/overlay/overlay-snapshotter.ts';
import type { Usage } from '../../snapshots/snapshotter.ts';
import type { WorkerPool } from '../worker/pool.ts';

/** A layer that is in the content store, uncompressed: its digest is its diff id. */
export interface DiffedLayer {
  readonly digest: Digest;
  readonly size: number;
  /** How many entries it has: 0 where nothing changed; it is an empty archive then. */
  readonly entries: number;
  /** Bytes of the files in it. */
  readonly fileBytes: number;
  readonly usage: Usage;
}

export interface DiffOptions {
  readonly lease?: string;
  /** No time in the archive is later than this (SOURCE_DATE_EPOCH), in seconds since 1970. */
  readonly clampSec?: number;
}

export interface Differ {
  /** The archive of what the active snapshot `key` changed. Nothing may write to it meanwhile. NotFound. */
  diff(key: string, options?: DiffOptions): Promise<DiffedLayer>;
}

let ingests = 0;

/** Reads the upper directory of overlayfs: it holds the changes and nothing else. */
export class OverlayDiffer implements Differ {
  readonly #content: LocalContentStore;
  readonly #snapshotter: OverlaySnapshotter;
  readonly #workers: WorkerPool;

  constructor(content: LocalContentStore, snapshotter: OverlaySnapshotter, workers: WorkerPool) {
    this.#content = content;
    this.#snapshotter = snapshotter;
    this.#workers = workers;
  }

  async diff(key: string, { lease, clampSec }: DiffOptions = {}): Promise<DiffedLayer> {
    const upper = this.#snapshotter.directory(key);
    const { parent } = (await this.#snapshotter.stat(key))!;
    const lower = parent === undefined || parent === '' ? [] : this.#snapshotter.layers(parent);
    const ref = `${oncePrefix}diff-${process.pid}-${ingests++}-${key}`;
    const ingest = this.#content.claim(ref);
    try {
      const made = await this.#workers.run({
        kind: 'diff',
        upper,
        lower,
        ingest,
        ...(clampSec !== undefined && { clampSec }),
      });
      const digest = made.digest as Digest;
      if (this.#content.rows.get(digest) !== undefined) {
        if (lease !== undefined) this.#content.hold(digest, lease);
        this.#content.drop(ref);
      } else {
        crashPoint('differ.diff.written');
        this.#content.publish(ref, digest, made.size, undefined, lease);
      }
      return { ...made, digest };
    } catch (err) {
      this.#content.drop(ref);
      throw err;
    } finally {
      this.#content.release(ref);
    }
  }
}
