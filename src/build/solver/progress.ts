// What a build tells while it runs: BuildKit's model of vertices, statuses, logs and warnings.

import type { Range } from '../dockerfile/source.ts';

export interface VertexProgress {
  readonly digest: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly started?: Date;
  readonly completed?: Date;
  readonly cached?: boolean;
  readonly error?: string;
  /** Why the cache had nothing (`--explain-cache`). */
  readonly missed?: string;
}

/** An instruction of the Dockerfile that has part in the build, before anything runs. */
export interface StepProgress {
  readonly text: string;
  /** Digest of the vertex that it became; absent where it only changes the config. */
  readonly vertex?: string;
  readonly kind?: 'image' | 'exec' | 'other';
}

export interface StatusProgress {
  readonly vertex: string;
  readonly id: string;
  readonly current: number;
  readonly total: number;
  readonly started: Date;
  readonly completed?: Date;
}

export interface LogProgress {
  readonly vertex: string;
  /** 1 stdout, 2 stderr. */
  readonly stream: 1 | 2;
  readonly data: Uint8Array;
  readonly at: Date;
}

export interface WarningProgress {
  readonly vertex: string;
  readonly rule: string;
  readonly message: string;
  readonly range: Range;
}

/** Where progress goes; never throws and never waits: a slow client loses nothing but its own time. */
export interface ProgressSink {
  vertex(progress: VertexProgress): void;
  status(progress: StatusProgress): void;
  log(progress: LogProgress): void;
  warning(progress: WarningProgress): void;
  /** All steps of a build for one platform, for who tells it step by step. */
  steps?(steps: readonly StepProgress[]): void;
}
