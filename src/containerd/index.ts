export { type Containerd, type ContainerdOptions, openContainerd } from './containerd.ts';
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
export { copyDirectoryAttributes } from './differ/apply/settle.ts';
export { decompressed } from './differ/compression/decompressed.ts';
export { detectCompression } from './differ/compression/detect.ts';
export { type Change, listChanges } from './differ/diff/changes.ts';
export type { DiffedLayer, Differ, DiffOptions } from './differ/diff/differ.ts';
export { exportTree } from './differ/diff/export-tree.ts';
export type { Extract, Extraction } from './differ/extractor.ts';
export type { EntryType, TarEntry } from './differ/tar/entry.ts';
export { decodeName, encodeName } from './differ/tar/name.ts';
export { TarReader, type TarSink } from './differ/tar/reader.ts';
export { encodeHeader, endOfArchive, type NewEntry, paddingOf } from './differ/tar/writer.ts';
export type {
  LayerOptions,
  LayerPlace,
  LayerWriter,
  StagedLayer,
  StagedLayerWriter,
  Unpacker,
} from './differ/unpacker.ts';
export { Decompressor } from './differ/worker/decompressor.ts';
export type { Collected, GarbageCollector } from './gc/garbage-collector.ts';
export { type ImageDocument, ImageDocuments } from './images/documents.ts';
export type { Image, ImageStore } from './images/image-store.ts';
export type { HeldLease, Lease, LeaseResource, Leases } from './leases/leases.ts';
export type { Collection, Metadata } from './metadata/metadata.ts';
export { layersOfMounts, openMergedView } from './snapshots/layers.ts';
export { type Found, isOpaque, type MergedDirectory, MergedView } from './snapshots/overlay/merged-view.ts';
export type {
  PrepareOptions,
  SnapshotInfo,
  SnapshotKind,
  SnapshotMount,
  Snapshotter,
  Usage,
} from './snapshots/snapshotter.ts';
export type { BinaryLog } from './tasks/binary-log.ts';
export { type ExternalRuntimeOptions, externalRuntime } from './tasks/external-runtime.ts';
export { ociRuntime } from './tasks/oci-runtime.ts';
export type { CompiledContainer, Runtime, RuntimeCreateOptions, RuntimeExecOptions } from './tasks/runtime.ts';
export type {
  CreatedTask,
  CreateTaskOptions,
  CreateTimings,
  ExecTaskOptions,
  TaskEvent,
  TaskInfo,
  TaskIo,
  TaskService,
  TaskStatus,
} from './tasks/task-service.ts';
export { openTasks, type TasksOptions } from './tasks/tasks.ts';
