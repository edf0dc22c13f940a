// The shim as the task service sees it: one native process per container (native/shim), which holds the container's streams, writes
// its log, serves attached clients, starts execs and knows exit codes. It lives on when the daemon dies.
//
//     startShim ──▶ created ── start() ──▶ running ──▶ exit event ──▶ shutdown()
//                      ▲                      ▲             │
//                 connectShim(directory)  connectShim   the file `exit` in the directory, if nobody was there to be told

import type { Program } from '../launcher/index.ts';
import type { SyslogConfig } from './syslog.ts';

/** How a process ended. */
export interface ExitStatus {
  /** 128 + signal where one killed it. */
  readonly code: number;
  /** 0 when it exited by itself. */
  readonly signal: number;
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
  /** The kernel killed in the container's cgroup for want of memory. */
  readonly oom: boolean;
}

export interface ProcessIo {
  readonly terminal: boolean;
  /** Is there a stdin at all? */
  readonly stdin: boolean;
  /** The first attached client's end of input closes stdin. Not with a terminal. */
  readonly stdinOnce: boolean;
  /**
   * The program runs a runtime of others to its end, which puts the pid of the real process into the file `<number>.pid` of the state
   * directory; a terminal is brought by `terminal`. `start` then only says that the runtime has started it.
   */
  readonly external?: boolean;
}

/** Where the container's output goes beside its clients. */
export type LogConfig =
  | { readonly type: 'none' }
  | SyslogConfig
  | {
      readonly type: 'json-file' | 'local';
      readonly path: string;
      /** Rotate when the file has this many bytes. Default: never. */
      readonly maxSizeBytes?: number;
      /** How many files are kept, the current one included. Default 1. */
      readonly maxFiles?: number;
      /** Rotated files become .gz: the daemon's work, the shim does not do it. */
      readonly compress?: boolean;
      /** Labels, environment and tag that json-file repeats in each line. */
      readonly attributes?: Readonly<Record<string, string>>;
    };

/** A client's socket on its way to the shim. The shim gets a copy of the descriptor: the caller closes its own, without shutdown(2). */
export interface AttachClient {
  readonly fd: number;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** An 8-byte header before each chunk (Docker's multiplexed stream); else raw. */
  readonly framed: boolean;
  /** Bytes that end the attachment, see parseDetachKeys. Only looked for with a terminal. */
  readonly detachKeys?: Uint8Array;
  /** What the caller has already read from the client. */
  readonly alreadyRead?: Uint8Array;
}

/** Process 0 is the container's init; execs are numbered by whoever starts them, each number once. */
export type ProcessNumber = number;

export interface ExecOptions {
  readonly number: ProcessNumber;
  readonly execId: string;
  readonly program: Program;
  readonly io: ProcessIo;
  /** A client that is to see the first byte. Where the program fails, the caller still has the socket to say so. */
  readonly client?: AttachClient;
}

export type ShimEvent =
  /** All its output has been read, logged and is on its way to the clients. */
  | { readonly kind: 'exit'; readonly number: ProcessNumber; readonly execId: string; readonly status: ExitStatus }
  | { readonly kind: 'oom' }
  /** A client is no longer served: the process ended, it sent its detach keys, it hung up, or it was too slow for too long. */
  | {
      readonly kind: 'client';
      readonly id: number;
      readonly number: ProcessNumber;
      readonly why: 'ended' | 'detached' | 'gone' | 'cut off';
    }
  /** The log at `path` was renamed to `path`.1. */
  | { readonly kind: 'rotated'; readonly path: string }
  /** The connection is gone; without `close()` that means that the shim has left or was killed. */
  | { readonly kind: 'lost' };

export interface ShimState {
  readonly phase: 'creating' | 'created' | 'running' | 'stopped';
  readonly shimPid: number;
  readonly initPid: number;
  /** Where `phase` is stopped. */
  readonly exit?: ExitStatus;
  readonly execs: readonly {
    readonly number: ProcessNumber;
    readonly execId: string;
    readonly pid: number;
    /** It ended while no daemon was connected. */
    readonly exit?: ExitStatus;
  }[];
}

/** A connection to a shim. Requests may be made at the same time; each fails with Unavailable once the connection is lost. */
export interface Shim {
  readonly pid: number;
  readonly initPid: number;
  readonly directory: string;
  /** Runs the container's program. ProgramError: it could not be run; the shim leaves. */
  start(): Promise<void>;
  /** kill(2) of one process that cannot have been replaced by another. NotFound: it has ended. */
  kill(number: ProcessNumber, signal: number): Promise<void>;
  resize(number: ProcessNumber, size: { readonly rows: number; readonly columns: number }): Promise<void>;
  closeStdin(number: ProcessNumber): Promise<void>;
  /** Hands a client over. Before `start` it sees the container's first byte. Answers the id that `client` events name. */
  attach(number: ProcessNumber, client: AttachClient): Promise<number>;
  /** Starts a process in the running container. ProgramError: it could not be run. */
  exec(options: ExecOptions): Promise<{ readonly pid: number; readonly clientId?: number }>;
  /** Brings the master of an external process's pty; the descriptor stays the caller's. */
  terminal(number: ProcessNumber, fd: number): Promise<void>;
  state(): Promise<ShimState>;
  /** A rotated log, known by its inode, was compressed to `temporary`, which takes its place. */
  replaceRotatedLog(temporary: string, inode: number): Promise<void>;
  /** The shim leaves once its clients have everything. FailedPrecondition: the container runs. */
  shutdown(): Promise<void>;
  /** Lets go of the shim, which stays. */
  close(): void;
}
