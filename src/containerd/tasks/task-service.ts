// containerd's task service: the running instances of containers. A container (the record) may have one task at a time; a task has an
// init process and any number of execs. Words and errors are containerd's (containerd.services.tasks.v1).
//
//     create ──▶ created ── start ──▶ running ◀── pause/resume ──▶ paused
//                   │                    │
//                 delete               exit ──▶ stopped ── delete ──▶ (gone)
//
// Tasks outlive the daemon: `adopt` finds them again. Events of one task come in the order create, start, exit, delete, and a method's
// promise settles before the events that come after it.

import type { Process, Resources, RuntimeSpec } from '../../oci/index.ts';
import type { CgroupStats, NetnsPlan } from '../../runc/index.ts';
import type { AttachClient, ExitStatus, LogConfig } from '../../shim/index.ts';
import type { SnapshotMount } from '../snapshots/snapshotter.ts';
import type { BinaryLog } from './binary-log.ts';

export interface TaskIo {
  readonly terminal: boolean;
  readonly stdin: boolean;
  /** Close stdin at the end of the first attached client's input. */
  readonly stdinOnce: boolean;
  readonly log: LogConfig | BinaryLog;
}

export interface CreateTaskOptions {
  readonly id: string;
  readonly spec: RuntimeSpec;
  /** The root file system, mounted inside the container's own mount namespace only. Without it spec.root.path is bound. */
  readonly rootfs?: readonly SnapshotMount[];
  /** What relative paths of the spec are relative to. Default: the task's state directory. */
  readonly bundle?: string;
  readonly io: TaskIo;
  readonly netns?: NetnsPlan;
  /** Name of the runtime; default our own. */
  readonly runtime?: string;
}

export interface ExecTaskOptions {
  readonly execId: string;
  readonly process: Process;
  readonly io: { readonly terminal: boolean; readonly stdin: boolean };
}

/** How long the layers took, in milliseconds. */
export interface CreateTimings {
  readonly compileMs: number;
  readonly programMs: number;
}

export interface CreatedTask {
  readonly pid: number;
  readonly timings: CreateTimings;
  /** What the machine cannot give, in words for the user. */
  readonly warnings: readonly string[];
}

export type TaskStatus = 'created' | 'running' | 'paused' | 'stopped';

export interface TaskInfo {
  readonly id: string;
  readonly status: TaskStatus;
  readonly pid: number;
  /** Where `status` is stopped. */
  readonly exit?: ExitStatus;
  readonly execs: readonly { readonly execId: string; readonly pid: number; readonly exit?: ExitStatus }[];
}

export type TaskEvent =
  | { readonly type: 'create'; readonly id: string; readonly pid: number }
  | { readonly type: 'start'; readonly id: string; readonly pid: number }
  /** All output is out. `execId` names an exec; without it the container itself has ended. */
  | {
      readonly type: 'exit';
      readonly id: string;
      readonly execId?: string;
      readonly pid: number;
      readonly status: ExitStatus;
    }
  | { readonly type: 'oom'; readonly id: string }
  | { readonly type: 'paused' | 'resumed' | 'delete'; readonly id: string }
  | { readonly type: 'exec-added'; readonly id: string; readonly execId: string }
  | { readonly type: 'exec-started'; readonly id: string; readonly execId: string; readonly pid: number }
  /** A client of attach or exec is no longer served. `detached`: it sent its detach keys. */
  | {
      readonly type: 'client';
      readonly id: string;
      readonly execId?: string;
      readonly clientId: number;
      readonly why: 'ended' | 'detached' | 'gone' | 'cut off';
    };

export interface TaskService {
  /** Makes the container up to the point before its program runs. A failure leaves nothing behind; its message is in runc's words. */
  create(options: CreateTaskOptions): Promise<CreatedTask>;
  /** Runs its program. A failure (no such file, permission denied) ends and deletes the task. */
  start(id: string): Promise<void>;
  /** Removes a stopped or created task. What is slow (cgroups, directories) happens after the answer. FailedPrecondition: it runs. */
  delete(id: string): Promise<ExitStatus>;
  /** Sends a signal to the init, to an exec, or to every process of the container. NotFound: it has ended. */
  kill(id: string, signal: number, options?: { readonly execId?: string; readonly all?: boolean }): Promise<void>;
  /** Registers an exec. AlreadyExists, FailedPrecondition (not running). */
  exec(id: string, options: ExecTaskOptions): Promise<void>;
  /** Runs it; `client` sees its first byte. On failure the client's socket is still the caller's, and the exec is forgotten. */
  startExec(
    id: string,
    execId: string,
    client?: AttachClient,
  ): Promise<{ readonly pid: number; readonly clientId?: number }>;
  /** Forgets an exec that has ended or was never started. */
  deleteExec(id: string, execId: string): Promise<ExitStatus | undefined>;
  resizePty(
    id: string,
    execId: string | undefined,
    size: { readonly rows: number; readonly columns: number },
  ): Promise<void>;
  closeIO(id: string, execId?: string): Promise<void>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Host pids of all processes of the container. */
  listPids(id: string): Promise<readonly number[]>;
  update(id: string, resources: Resources): Promise<void>;
  metrics(id: string): Promise<CgroupStats>;
  /** Settles when the init, or an exec, has ended; at once when it has already. */
  wait(id: string, execId?: string): Promise<ExitStatus>;
  /** Hands a client's socket over. Legal on a created task, where it sees the first byte. Answers its id. */
  attach(id: string, execId: string | undefined, client: AttachClient): Promise<number>;
  get(id: string): TaskInfo;
  list(): readonly TaskInfo[];
  /** After a daemon's start, once: finds the tasks that run, and those that ended meanwhile, with their exit codes. */
  adopt(): Promise<readonly TaskInfo[]>;
  subscribe(listener: (event: TaskEvent) => void): Disposable;
  /** Lets go of all shims, which stay, and waits for clean-up in the background. */
  close(): Promise<void>;
}
