// The garbage collector: what cannot be reached from a name, a lease or a snapshot in use is removed.
//
//     image name ─▶ index ─▶ manifest ─▶ config ─▶ snapshots (chain ids of its diff ids)
//                                    └─▶ layers
//     lease ─▶ content, snapshots        active snapshot, view ─▶ its parents

export interface Collected {
  readonly blobs: readonly string[];
  readonly snapshots: readonly string[];
  /** What the disk gets back: blobs and snapshots, as `du` counts. */
  readonly reclaimedBytes: number;
}

export interface GarbageCollector {
  /** Marks and sweeps. Concurrent calls share a run that began after they were made. The files themselves vanish in the background. */
  collect(): Promise<Collected>;
}
