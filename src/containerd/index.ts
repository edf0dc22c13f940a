export type { Containerd, ContainerdOptions } from './containerd.ts';
export type {
  BlobInfo,
  ContentStore,
  ContentWriter,
  IngestStatus,
  Labels,
  ReaderAt,
  ReadOptions,
  WriterOptions,
} from './content/content-store.ts';
export type {
  LayerOptions,
  LayerPlace,
  LayerWriter,
  StagedLayer,
  StagedLayerWriter,
  Unpacker,
} from './differ/unpacker.ts';
export type { Collected, GarbageCollector } from './gc/garbage-collector.ts';
export type { Image, ImageStore } from './images/image-store.ts';
export type { HeldLease, Lease, LeaseResource, Leases } from './leases/leases.ts';
export type { Collection, Metadata } from './metadata/metadata.ts';
export type {
  PrepareOptions,
  SnapshotInfo,
  SnapshotKind,
  SnapshotMount,
  Snapshotter,
  Usage,
} from './snapshots/snapshotter.ts';
