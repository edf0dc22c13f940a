// What the files worker is asked and what it answers. All values can be cloned between threads.

/** A tree as a stack of directories, topmost first: the layers of a file system, or one directory. */
export interface TreeLocation {
  readonly layers: readonly string[];
  /** A build context: its owners are nobody's business, all is root's. */
  readonly context: boolean;
}

export interface Selection {
  /** Absolute paths within the tree; may hold wildcards. */
  readonly sources: readonly string[];
  /** Patterns relative to each source. */
  readonly exclude: readonly string[];
}

export interface DigestJob extends Selection {
  readonly kind: 'digest';
  readonly tree: TreeLocation;
}

export interface CopyAction extends Selection {
  readonly action: 'copy';
  readonly from: TreeLocation;
  readonly destination: string;
  readonly chown?: string;
  readonly chmod?: string;
  readonly parents: boolean;
  readonly unpack: boolean;
  /** Permission bits of files whose source has none of its own. */
  readonly mode?: number;
}

export interface MkdirAction {
  readonly action: 'mkdir';
  readonly path: string;
  readonly mode: number;
  readonly user: string;
}

/** Makes the tar of a layer that, put on `base`, has the changes. */
export interface LayerJob {
  readonly kind: 'layer';
  /** No layers: the empty file system. */
  readonly base: TreeLocation;
  readonly actions: readonly (CopyAction | MkdirAction)[];
  /** Seconds since 1970 for what has no time of its own. */
  readonly nowSec: number;
  /** Times are not later than this (SOURCE_DATE_EPOCH with rewrite-timestamp). */
  readonly clampSec?: number;
}

export type FilesJob = DigestJob | LayerJob;

export type FilesRequest =
  | { readonly type: 'job'; readonly id: number; readonly job: FilesJob }
  /** So many bytes were taken: the worker may send more. */
  | { readonly type: 'taken'; readonly id: number; readonly bytes: number }
  | { readonly type: 'cancel'; readonly id: number };

export type FilesReply =
  | { readonly type: 'digest'; readonly id: number; readonly digest: string }
  | { readonly type: 'chunk'; readonly id: number; readonly bytes: Uint8Array }
  /** The archive is complete; `entries` 0 means that nothing changes. */
  | { readonly type: 'done'; readonly id: number; readonly entries: number; readonly sizeBytes: number }
  | { readonly type: 'failed'; readonly id: number; readonly code: string; readonly message: string };
