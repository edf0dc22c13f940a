// The wiring of the image half: stores that share one database and one folder.

import type { ContentStore } from './content/content-store.ts';
import type { Unpacker } from './differ/unpacker.ts';
import type { GarbageCollector } from './gc/garbage-collector.ts';
import type { ImageStore } from './images/image-store.ts';
import type { Leases } from './leases/leases.ts';
import type { Metadata } from './metadata/metadata.ts';
import type { Snapshotter } from './snapshots/snapshotter.ts';

/** The services of containerd that keep images. Tasks are apart: they live in the exec root. */
export interface Containerd extends AsyncDisposable {
  readonly root: string;
  readonly metadata: Metadata;
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly images: ImageStore;
  readonly leases: Leases;
  readonly unpacker: Unpacker;
  readonly gc: GarbageCollector;
  /** The same stores, where whatever is written or found through them is kept by this lease. */
  leased(lease: string): { readonly content: ContentStore; readonly unpacker: Unpacker };
  /** Waits for background removals, stops the workers, closes the database. */
  close(): Promise<void>;
}

export interface ContainerdOptions {
  /** The data root: meta.db, content/ and snapshots/ are made in it. One process at a time. */
  readonly root: string;
}
