import { chainId, type Descriptor } from '../../oci/index.ts';
import type { Labels } from '../content/content-store.ts';
import type { LocalContentStore } from '../content/local/local-content-store.ts';
import { crashPoint } from '../crash-point.ts';
import type { ImageDocuments } from '../images/documents.ts';
import type { ImageStore } from '../images/image-store.ts';
import type { Leases } from '../leases/leases.ts';
import type { Database } from '../metadata/database.ts';
import type { OverlaySnapshotter } from '../snapshots/overlay/overlay-snapshotter.ts';
import type { SnapshotRow } from '../snapshots/overlay/snapshot-rows.ts';
import type { Collected, GarbageCollector } from './garbage-collector.ts';

/** Whatever carries this label is kept, with what it refers to. */
const rootLabel = 'containerd.io/gc.root';
/** An interrupted download that nobody resumed. */
const ingestAgeMs = 24 * 3600 * 1000;

export interface Stores {
  readonly database: Database;
  readonly content: LocalContentStore;
  readonly snapshotter: OverlaySnapshotter;
  readonly images: ImageStore;
  readonly leases: Leases;
  readonly documents: ImageDocuments;
}

interface Live {
  readonly blobs: Set<string>;
  readonly snapshots: Set<string>;
  /** Documents that must be read before it is known what they refer to. */
  readonly unread: Descriptor[];
}

/**
 * Marking and sweeping the rows is one synchronous step, so nothing can come to refer to a thing between. Only reading manifests
 * takes time: it is done before, and what turns out to be unread is read and the marking done again.
 */
export class MarkAndSweep implements GarbageCollector {
  readonly #stores: Stores;
  #running: Promise<Collected> | undefined;
  #next: Promise<Collected> | undefined;

  constructor(stores: Stores) {
    this.#stores = stores;
  }

  collect(): Promise<Collected> {
    if (this.#running === undefined) return this.#start();
    // A run under way may have marked already: those who ask now share the next one.
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#start();
      });
    return this.#next;
  }

  #start(): Promise<Collected> {
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<Collected> {
    const broken = new Set<string>();
    for (;;) {
      const live = this.#mark(broken);
      if (live.unread.length === 0) return this.#sweep(live);
      for (const descriptor of live.unread) {
        // What is absent, or not what it claims to be, refers to nothing.
        const document = await this.#stores.documents.load(descriptor).catch(() => undefined);
        if (document === undefined) broken.add(descriptor.digest);
      }
    }
  }

  #mark(broken: ReadonlySet<string>): Live {
    const { images, leases, snapshotter, content, documents } = this.#stores;
    const live: Live = { blobs: new Set(), snapshots: new Set(), unread: [] };
    const mark = (descriptor: Descriptor): void => {
      if (live.blobs.has(descriptor.digest)) return;
      live.blobs.add(descriptor.digest);
      // A manifest that was deleted, or never fetched, keeps nothing.
      if (broken.has(descriptor.digest) || content.rows.get(descriptor.digest) === undefined) return;
      const document = documents.cached(descriptor);
      if (document === undefined) {
        live.unread.push(descriptor);
      } else if (document.kind === 'index') {
        document.index.manifests.forEach(mark);
      } else if (document.kind === 'manifest') {
        mark(document.manifest.config);
        document.manifest.layers.forEach(mark);
      } else if (document.kind === 'config') {
        const { diff_ids: diffIds } = document.config.rootfs;
        if (diffIds.length > 0) live.snapshots.add(chainId(diffIds));
      }
    };
    for (const image of images.list()) mark(image.target);
    const now = new Date();
    for (const lease of leases.list()) {
      if (lease.expiresAt < now) continue;
      for (const { type, id } of leases.resources(lease.id)) live[type === 'content' ? 'blobs' : 'snapshots'].add(id);
    }
    for (const blob of content.rows.list()) if (rootLabel in blob.labels) live.blobs.add(blob.digest);
    const rows = new Map(snapshotter.rows.list().map(row => [row.key, row]));
    for (const row of rows.values()) if (isRoot(row)) live.snapshots.add(row.key);
    markParents(live.snapshots, rows);
    return live;
  }

  #sweep(live: Live): Collected {
    const { database, content, snapshotter, leases } = this.#stores;
    const rows = snapshotter.rows.list();
    const deadSnapshots = rows.filter(row => !live.snapshots.has(row.key));
    const deadBlobs = content.rows.list().filter(blob => !live.blobs.has(blob.digest));
    database.transaction(() => {
      const now = new Date();
      for (const lease of leases.list()) if (lease.expiresAt < now) leases.delete(lease.id);
      for (const blob of deadBlobs) content.rows.delete(blob.digest);
      for (const row of deadSnapshots) snapshotter.rows.delete(row.key);
    });
    crashPoint('gc.sweep.rows');
    for (const blob of deadBlobs) content.deleteFile(blob.digest);
    crashPoint('gc.sweep.blobs');
    for (const row of deadSnapshots) snapshotter.discard(row.id);
    const oldest = new Date(Date.now() - ingestAgeMs);
    for (const ingest of content.listIngests()) {
      if (ingest.updatedAt < oldest && !content.isWriting(ingest.ref)) content.drop(ingest.ref);
    }
    return {
      blobs: deadBlobs.map(blob => blob.digest),
      snapshots: deadSnapshots.map(row => row.key),
      reclaimedBytes:
        deadBlobs.reduce((sum, blob) => sum + blob.size, 0) +
        deadSnapshots.reduce((sum, row) => sum + (row.sizeBytes ?? 0), 0),
    };
  }
}

/** Active snapshots and views belong to whoever made them. */
const isRoot = (row: SnapshotRow): boolean =>
  row.kind !== 'committed' || rootLabel in (JSON.parse(row.labels) as Labels);

/** Adds what is below each live snapshot, and the init layer above one: made again for each container, it would cost each start. */
function markParents(live: Set<string>, rows: ReadonlyMap<string, SnapshotRow>): void {
  for (const key of [...live]) if (rows.has(`${key}-init`)) live.add(`${key}-init`);
  for (const key of [...live]) {
    for (let row = rows.get(key); row !== undefined && row.parent !== ''; row = rows.get(row.parent)) {
      live.add(row.parent);
    }
  }
}
