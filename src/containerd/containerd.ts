// The wiring of the image half: stores that share one database and one folder.

import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { ContentStore } from './content/content-store.ts';
import { LocalContentStore } from './content/local/local-content-store.ts';
import { defaultLimits, type UnpackLimits } from './differ/apply/limits.ts';
import { type Differ, OverlayDiffer } from './differ/diff/differ.ts';
import { type Extract, extractor } from './differ/extractor.ts';
import { LayerUnpacker } from './differ/layer-unpacker.ts';
import type { Unpacker } from './differ/unpacker.ts';
import { WorkerPool } from './differ/worker/pool.ts';
import type { GarbageCollector } from './gc/garbage-collector.ts';
import { MarkAndSweep } from './gc/mark-and-sweep.ts';
import { ImageDocuments } from './images/documents.ts';
import type { ImageStore } from './images/image-store.ts';
import { LocalImageStore } from './images/images.ts';
import { LeaseManager } from './leases/lease-manager.ts';
import { leasedContent, leasedUnpacker } from './leases/leased.ts';
import type { Leases } from './leases/leases.ts';
import { Database } from './metadata/database.ts';
import type { Metadata } from './metadata/metadata.ts';
import { OverlaySnapshotter } from './snapshots/overlay/overlay-snapshotter.ts';
import type { Snapshotter } from './snapshots/snapshotter.ts';
import { Trash } from './trash.ts';

/** The services of containerd that keep images. Tasks are apart: they live in the exec root. */
export interface Containerd extends AsyncDisposable {
  readonly root: string;
  readonly metadata: Metadata;
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly images: ImageStore;
  readonly leases: Leases;
  readonly unpacker: Unpacker;
  readonly differ: Differ;
  /** Unpacks an archive that is no layer. */
  readonly extract: Extract;
  readonly gc: GarbageCollector;
  /** Manifests, indexes and configs, parsed and kept. */
  readonly documents: ImageDocuments;
  /** The same stores, where whatever is written or found through them is kept by this lease. */
  leased(lease: string): { readonly content: ContentStore; readonly unpacker: Unpacker };
  /** Waits for background removals, stops the workers, closes the database. */
  close(): Promise<void>;
}

export interface ContainerdOptions {
  /** The data root: meta.db, content/ and snapshots/ are made in it. One process at a time. */
  readonly root: string;
  readonly limits?: Partial<UnpackLimits>;
  /** Threads that unpack; default: one per core, at most 4. */
  readonly workers?: number;
}

/** What a killed process left unreferenced is swept a little after the start, when nobody waits any more. */
const collectAfterMs = 10_000;

function collectSoon(gc: GarbageCollector): { stop(): Promise<void> } {
  let running: Promise<unknown> = Promise.resolve();
  const timer = setTimeout(() => {
    running = gc.collect().catch(() => {});
  }, collectAfterMs);
  timer.unref();
  return {
    stop: async () => {
      clearTimeout(timer);
      await running;
    },
  };
}

/** Opens the stores, putting right what a crash left half made. */
export async function openContainerd(options: ContainerdOptions): Promise<Containerd> {
  const { root } = options;
  mkdirSync(root, { recursive: true, mode: 0o710 });
  const database = new Database(join(root, 'meta.db'));
  const workers = new WorkerPool(options.workers ?? Math.min(4, availableParallelism()));
  const trash = new Trash(join(root, 'trash'), workers);
  const content = new LocalContentStore(join(root, 'content'), database, workers, trash);
  const snapshotter = new OverlaySnapshotter(join(root, 'snapshots'), database, workers, trash);
  const limits = { ...defaultLimits, ...options.limits };
  const unpacker = new LayerUnpacker(content, snapshotter, workers, limits);
  const images = new LocalImageStore(database);
  const documents = new ImageDocuments(content);
  const leases = new LeaseManager(database);
  const gc = new MarkAndSweep({ database, content, snapshotter, images, leases, documents });
  const collecting = collectSoon(gc);
  const close = async () => {
    await collecting.stop();
    await trash.emptied();
    await workers.close();
    database.close();
  };
  return {
    root,
    metadata: database,
    content,
    snapshotter,
    images,
    leases,
    documents,
    unpacker,
    extract: extractor(workers, limits),
    differ: new OverlayDiffer(content, snapshotter, workers),
    gc,
    leased: lease => ({
      content: leasedContent(content, lease),
      unpacker: leasedUnpacker(unpacker, snapshotter, lease),
    }),
    close,
    [Symbol.asyncDispose]: close,
  };
}
