// What runs containers: src/runc in this process, or a program of others (runc, crun) behind the same interface.

import type { EngineError } from '../../errdefs/index.ts';
import type { Program } from '../../launcher/index.ts';
import type { Process, RuntimeSpec } from '../../oci/index.ts';
import type { Cgroup, CgroupPaths, NetnsPlan } from '../../runc/index.ts';
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

export interface CompiledContainer {
  readonly program: Program;
  readonly cgroups: CgroupPaths;
  /** What the machine cannot give. */
  readonly warnings: readonly string[];
}

export interface Runtime {
  /** The program that creates the container, with `ready` before its own program runs, and where its cgroups are. */
  compileCreate(options: RuntimeCreateOptions): CompiledContainer;
  compileExec(options: RuntimeExecOptions): Program;
  cgroup(paths: CgroupPaths): Cgroup;
  /** A failure of one of its programs (or of anything else), in the words that clients know. */
  explain(error: unknown, verb: 'create' | 'exec', program: Program): EngineError;
}
