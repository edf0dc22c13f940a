// What runs containers: src/runc in this process, or a program of others (runc, crun) behind the same interface.

import type { EngineError } from '../../errdefs/index.ts';
import type { Program } from '../../launcher/index.ts';
import type { Process, RuntimeSpec } from '../../oci/index.ts';
import type { Cgroup, CgroupPaths, NetnsPlan } from '../../runc/index.ts';
import type { SnapshotMount } from '../snapshots/snapshotter.ts';

export interface RuntimeCreateOptions {
  readonly id: string;
  /** The task's state directory. It need not exist yet. */
  readonly directory: string;
  readonly spec: RuntimeSpec;
  readonly rootfs?: readonly SnapshotMount[];
  readonly bundle: string;
  /** Is there a stdin (without a terminal)? */
  readonly stdin: boolean;
  readonly netns?: NetnsPlan;
}

export interface RuntimeExecOptions {
  readonly id: string;
  readonly directory: string;
  /** Names the exec at the shim. */
  readonly number: number;
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
  explain(error: unknown, verb: 'create' | 'exec', program: Program, directory: string): EngineError;
  /** Only where the runtime is a program of others, which the shim's programs start. */
  readonly external?: ExternalSteps;
}

/** What a program of others needs beside its own start by the shim. */
export interface ExternalSteps {
  /** The state directory is there: puts in it what the runtime reads. */
  prepare(options: RuntimeCreateOptions): void;
  /** Waits for the pty that the runtime sends for a process with a terminal; to be called before the runtime is started. */
  console(directory: string, number: number): Promise<PendingConsole>;
  /** The container is created: its network, and what else it was promised. */
  created(options: RuntimeCreateOptions, initPid: number): Promise<void>;
  start(id: string, directory: string): Promise<void>;
  /** Removes what an exec has left in the state directory. */
  forgetExec(directory: string, number: number): void;
  /** Forgets the container, and unmounts its root. */
  delete(id: string, directory: string): Promise<void>;
}

export interface PendingConsole extends Disposable {
  /** The master's descriptor, the caller's to close. */
  readonly fd: Promise<number>;
}
