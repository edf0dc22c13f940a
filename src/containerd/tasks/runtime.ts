// What runs containers: src/runc in this process, or a program of others (runc, crun) behind the same interface.

import type { EngineError } from '../../errdefs/index.ts';
import type { Program } from '../../launcher/index.ts';
import type { Process, Resources, RuntimeSpec } from '../../oci/index.ts';
import type { CgroupPaths, CgroupStats, NetnsPlan } from '../../runc/index.ts';
import type { SnapshotMount } from '../snapshots/snapshotter.ts';

export interface RuntimeCreateOptions {
  readonly id: string;
  readonly spec: RuntimeSpec;
  readonly rootfs?: readonly SnapshotMount[];
  readonly bundle: string;
  /** Is there a stdin (without a terminal)? */
  readonly stdin: boolean;
  readonly netns?: NetnsPlan;
}

export interface RuntimeExecOptions {
  readonly spec: RuntimeSpec;
  readonly process: Process;
  readonly initPid: number;
  readonly cgroups: CgroupPaths;
  readonly stdin: boolean;
}

/** The container's cgroups while it lives. */
export interface TaskCgroup {
  /** The memory cgroup, to notice kills for want of memory. */
  readonly oom?: { readonly version: 1 | 2; readonly directory: string };
  stats(): CgroupStats;
  pids(): readonly number[];
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  frozen(): boolean;
  update(resources: Resources): void;
  /** To every process in it, also those that appear meanwhile. */
  killAll(signal: number): Promise<void>;
  /** Once empty. Waits a moment for processes that are on their way out. */
  remove(): Promise<void>;
}

export interface Runtime {
  /** The program that creates the container, with `ready` before its own program runs, and where its cgroups are. */
  compileCreate(options: RuntimeCreateOptions): { readonly program: Program; readonly cgroups: CgroupPaths };
  compileExec(options: RuntimeExecOptions): Program;
  cgroup(paths: CgroupPaths): TaskCgroup;
  /** A failure of one of its programs, in the words and of the kind that clients know. */
  explain(error: unknown): EngineError;
}
