// The snapshotter: file systems as layers, as containerd's core/snapshots/snapshots.go.
//
//     prepare(key, parent) ──▶ active ── commit(name, key) ──▶ committed ──▶ parent of others
//     view(key, parent)    ──▶ view (read only)
//
// An active snapshot and a view are referred to by the key that made them, a committed one by its name: the chain id, for the
// layers of images. A snapshot can be removed while nothing is above it.

import type { Labels } from '../content/content-store.ts';

export type SnapshotKind = 'active' | 'view' | 'committed';

export interface SnapshotInfo {
  readonly key: string;
  readonly kind: SnapshotKind;
  readonly parent?: string;
  readonly labels: Labels;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What a snapshot itself occupies, without its parents; as `du` counts. */
export interface Usage {
  readonly sizeBytes: number;
  readonly inodes: number;
}

/**
 * How to mount a snapshot. The snapshotter never mounts anything itself: the runtime does, inside the container's mount namespace.
 * `options` are those of mount(8): `lowerdir=…`, `ro`.
 */
export interface SnapshotMount {
  readonly type: 'overlay' | 'bind';
  readonly source: string;
  readonly options: readonly string[];
  /** For type overlay: the same as in `options`, without its escapes and its limit of a page. */
  readonly overlay?: {
    /** Topmost first. */
    readonly lowerdirs: readonly string[];
    /** Absent in a view. */
    readonly upperdir?: string;
    readonly workdir?: string;
    readonly userxattr?: boolean;
  };
}

export interface PrepareOptions {
  readonly labels?: Labels;
  /** Lease that keeps a committed snapshot, until something else refers to it. Active ones and views are kept until removed. */
  readonly lease?: string;
}

export interface Snapshotter {
  /** A writable snapshot on top of `parent` ('' for none). NotFound when the parent is not there or not committed, AlreadyExists when the key is taken. */
  prepare(key: string, parent: string, options?: PrepareOptions): Promise<SnapshotMount[]>;
  /** A read-only one. */
  view(key: string, parent: string, options?: PrepareOptions): Promise<SnapshotMount[]>;
  /** Mounts of an active snapshot or a view. NotFound. */
  mounts(key: string): Promise<SnapshotMount[]>;
  /** Makes an active snapshot a committed one called `name`; the key is gone. Nothing may have it mounted writable. AlreadyExists when the name is taken, NotFound. */
  commit(name: string, key: string, options?: PrepareOptions): Promise<void>;
  /** NotFound; FailedPrecondition while another snapshot is above it. Its files vanish in the background. */
  remove(key: string): Promise<void>;
  /** Undefined when it is not there. */
  stat(key: string): Promise<SnapshotInfo | undefined>;
  label(key: string, labels: Labels): Promise<void>;
  list(): Promise<SnapshotInfo[]>;
  /** Remembered for a committed one; an active one is walked. NotFound. */
  usage(key: string): Promise<Usage>;
}
