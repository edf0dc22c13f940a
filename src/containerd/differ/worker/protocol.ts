// Messages between the engine and its unpack workers.
//
//     engine                                  worker
//     open (ingest file, snapshot dir) ─────▶  replays what is on disk
//              ◀───────────────────── opened (offset)
//     chunk … chunk ────────────────────────▶
//              ◀───────────────────── taken (bytes), as they are consumed: the back-pressure
//     end ──────────────────────────────────▶
//              ◀───────────────────── done (digests, usage)  or  failed, at any time
//     close ────────────────────────────────▶  (only before end: gives up, keeps the ingest)

import type { ErrorCode } from '../../../errdefs/index.ts';
import type { Usage } from '../../snapshots/snapshotter.ts';
import type { Applied } from '../apply/applier.ts';
import type { UnpackLimits } from '../apply/limits.ts';
import type { SettleOptions } from '../apply/settle.ts';
import type { Diffed, DiffJob } from '../diff/write-diff.ts';

export interface OpenSession {
  /** Where the compressed bytes are written; what is there already is read first. */
  readonly ingest?: string;
  /** Instead of `ingest`: a blob that is in the store, read from there. */
  readonly blob?: string;
  /** Where the files go; absent: the blob is only stored. */
  readonly directory?: string;
  readonly expected?: { readonly digest: string; readonly size: number; readonly diffId?: string };
  readonly limits: UnpackLimits;
}

export interface SessionResult {
  readonly digest: string;
  readonly size: number;
  /** Absent where nothing was unpacked. */
  readonly unpacked?: Applied & { readonly diffId: string; readonly bytes: number };
}

/** A piece of work of its own. */
export type Job =
  | ({ readonly kind: 'settle' } & SettleOptions)
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'usage'; readonly path: string }
  | ({ readonly kind: 'diff' } & DiffJob);

export type JobResult<K extends Job['kind']> = K extends 'usage' ? Usage : K extends 'diff' ? Diffed : undefined;

export type Request =
  | ({ readonly type: 'open'; readonly id: number } & OpenSession)
  | { readonly type: 'chunk'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly type: 'end'; readonly id: number }
  | { readonly type: 'close'; readonly id: number }
  | { readonly type: 'job'; readonly id: number; readonly job: Job };

/** An error as it crosses threads. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

export type Reply =
  | { readonly type: 'opened'; readonly id: number; readonly offset: number }
  | { readonly type: 'taken'; readonly id: number; readonly bytes: number; readonly unpackedBytes: number }
  | { readonly type: 'done'; readonly id: number; readonly result: SessionResult }
  | { readonly type: 'closed'; readonly id: number }
  | { readonly type: 'failed'; readonly id: number; readonly failure: Failure }
  | { readonly type: 'jobDone'; readonly id: number; readonly result: Usage | Diffed | undefined };
