// What the archive's worker can be asked to do, and what it answers. All paths are the container's own, absolute and clean.

import type { PathStat } from '../../../api/index.ts';
import type { ErrorCode } from '../../../errdefs/index.ts';

/** A container's root file system as the worker gets at it. */
export type RootSource =
  /** Of a running container: through its init, with everything that is mounted inside. */
  | { readonly kind: 'process'; readonly pid: number }
  /** Of another: mounted in the worker's own mount namespace, which goes with the worker. */
  | {
      readonly kind: 'mounts';
      /** An empty directory to mount on. */
      readonly place: string;
      readonly overlay: {
        readonly lowerdirs: readonly string[];
        readonly upperdir?: string;
        readonly workdir?: string;
      };
      readonly binds: readonly { readonly source: string; readonly target: string }[];
    };

export type ArchiveJob =
  | { readonly kind: 'stat'; readonly path: string }
  /** An archive of what is at `path`, its entries named from `name` on. */
  | { readonly kind: 'read'; readonly path: string; readonly name: string }
  /** The whole root. */
  | { readonly kind: 'export' }
  /** Unpacks an archive in the directory `path`. */
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly noOverwriteDirNonDir: boolean;
      readonly owner?: { readonly uid: number; readonly gid: number };
    };

export interface WorkerInput {
  readonly root: RootSource;
  readonly job: ArchiveJob;
}

/** To the worker: `more` asks for the next piece of a read; `bytes` and `end` are a write's. */
export type ToWorker =
  | { readonly type: 'more' }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'end' }
  /** Nobody wants the rest. */
  | { readonly type: 'abort' };

export type FromWorker =
  | { readonly type: 'stat'; readonly stat: PathStat }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  /** A written piece was taken. */
  | { readonly type: 'taken' }
  | { readonly type: 'done' }
  | { readonly type: 'error'; readonly code: ErrorCode; readonly message: string };
