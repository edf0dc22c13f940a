import { setTimeout as delay } from 'node:timers/promises';
import { Internal } from '../errdefs/index.ts';
import { encodeProgram } from './encode.ts';
import { decodeFailure, ProgramError } from './failure.ts';
import { launcherBinary, native } from './native.ts';
import type { Program } from './op.ts';

export interface RunOptions {
  /** Descriptors 0, 1 and 2 of the launcher, and so of what it starts; default 0, 1, 2. -1 is /dev/null. */
  readonly stdio?: readonly [number, number, number];
  /** Further descriptors, which the launcher and what it starts find from 3 on (--preserve-fds). */
  readonly extra?: readonly number[];
  /** Stay until the latest child has ended, for `exited`. Without it the launcher leaves, and the child becomes an orphan. */
  readonly wait?: boolean;
}

/** How a process ended; killed by a signal, `code` is 128 + signal. */
export interface Exit {
  readonly code: number;
  readonly signal: number;
}

export interface Run {
  /** The latest child, 0 when the program started none. */
  readonly pid: number;
  /** Only with `wait`; rejects where the launcher itself was killed. */
  readonly exited?: Promise<Exit>;
}

type Report = { kind: 'done'; pid: number } | { kind: 'failed'; body: Buffer } | { kind: 'exited'; exit: Exit };

/**
 * Runs a program in a launcher of its own, without a shim. Resolves when it has run to its end (its child executes then, where it
 * awaits that); throws ProgramError where an op failed.
 */
export async function runProgram(program: Program, options: RunOptions = {}): Promise<Run> {
  const reports = start(program, options);
  const first = await reports.next();
  if (first.done) throw new Internal('the launcher ended without a report');
  if (first.value.kind === 'failed') {
    await reports.next();
    throw new ProgramError(program, decodeFailure(first.value.body));
  }
  if (first.value.kind !== 'done') throw new Internal('the launcher sent an unexpected report');
  const { pid } = first.value;
  if (options.wait && pid > 0) return { pid, exited: exit(reports) };
  // Not until the socket's end: a child that waits at a gate still holds the launcher's side.
  await reports.return();
  return { pid };
}

async function exit(reports: AsyncGenerator<Report, void>): Promise<Exit> {
  for await (const report of reports) if (report.kind === 'exited') return report.exit;
  throw new Internal('the launcher was killed');
}

/** Starts the launcher and yields its reports; it is reaped when the generator ends. */
async function* start(program: Program, options: RunOptions): AsyncGenerator<Report, void> {
  const { spawn, sealedMemfd, socketpair, close } = native();
  const given = [...(options.stdio ?? [0, 1, 2]), ...(options.extra ?? [])];
  const code = sealedMemfd(encodeProgram(program));
  const [ours, theirs] = socketpair(1);
  let pid: number;
  try {
    pid = spawn({
      file: launcherBinary(),
      args: ['berth-shim', 'run', String(given.length), ...(options.wait ? ['wait'] : [])],
      env: [],
      fds: [...given, code, theirs],
    });
  } catch (error) {
    close(ours);
    throw error;
  } finally {
    close(code);
    close(theirs);
  }
  // Loaded late: a command that never comes here starts without Node's streams.
  const { Socket } = await import('node:net');
  const socket = new Socket({ fd: ours, readable: true, writable: false });
  try {
    let pending = Buffer.alloc(0);
    for await (const chunk of socket) {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32LE(0)) {
        const size = pending.readUInt32LE(0);
        yield parse(pending.subarray(4, 4 + size));
        pending = pending.subarray(4 + size);
      }
    }
  } finally {
    socket.destroy();
    await reap(pid);
  }
}

function parse(report: Buffer): Report {
  switch (report.readUInt32LE(0)) {
    case 1:
      return { kind: 'done', pid: report.readInt32LE(4) };
    case 2:
      return { kind: 'failed', body: report.subarray(4) };
    case 3:
      return { kind: 'exited', exit: { code: report.readInt32LE(4), signal: report.readInt32LE(8) } };
    default:
      throw new Internal('the launcher sent an unknown report');
  }
}

/** The launcher closes its socket with its last breath, so this rarely waits. */
async function reap(pid: number): Promise<void> {
  while (native().waitPid(pid) === null) await delay(1);
}
