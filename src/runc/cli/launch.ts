// Runs a program for a command that has nothing else to do meanwhile: as launcher's runProgram, but without Node's streams and sockets,
// whose loading alone would cost a command more than its work does.

import { closeSync, read, readSync } from 'node:fs';
import { Internal } from '../../errdefs/index.ts';
import {
  decodeFailure,
  type Exit,
  encodeProgram,
  launcherBinary,
  native,
  type Program,
  ProgramError,
} from '../../launcher/index.ts';
import { failureMessage } from '../failure.ts';

export interface Launched {
  /** The latest child; 0 when the program started none. */
  readonly pid: number;
  /** With `wait`. */
  readonly exited?: Promise<Exit>;
}

export interface LaunchOptions {
  /** Stay until the latest child has ended. */
  readonly wait?: boolean;
  /** Descriptors of ours from 3 on that the program's processes get too (--preserve-fds). */
  readonly preserveFds?: number;
}

/** native/shim/main.c: kinds of reports. */
const DONE = 1;
const FAILED = 2;
const EXITED = 3;

/** Runs a program; a failure is told in runc's words, with the ProgramError as cause. */
export function launch(program: Program, { wait = false, preserveFds = 0 }: LaunchOptions = {}): Launched {
  const { spawn, sealedMemfd, socketpair, close, waitPid } = native();
  const given = Array.from({ length: 3 + preserveFds }, (_, fd) => fd);
  const code = sealedMemfd(encodeProgram(program));
  const [ours, theirs] = socketpair(1);
  let launcher: number;
  try {
    launcher = spawn({
      file: launcherBinary(),
      args: ['berth-shim', 'run', String(given.length), ...(wait ? ['wait'] : [])],
      env: [],
      fds: [...given, code, theirs],
    });
  } catch (error) {
    closeSync(ours);
    throw error;
  } finally {
    close(code);
    close(theirs);
  }
  const report = readReport(ours);
  const kind = report.readUInt32LE(0);
  const pid = kind === DONE ? report.readInt32LE(4) : 0;
  if (wait && pid > 0) return { pid, exited: readExit(ours) };
  closeSync(ours);
  // It leaves by itself now; as our child it would stay a zombie only as long as we live.
  waitPid(launcher);
  if (kind === DONE) return { pid };
  if (kind !== FAILED) throw new Internal('the launcher sent an unexpected report');
  const error = new ProgramError(program, decodeFailure(report.subarray(4)));
  throw new Error(`unable to start container process: ${failureMessage(program, error.failure)}`, { cause: error });
}

/** u32 size, then as much. */
function readReport(fd: number): Buffer {
  const size = Buffer.alloc(4);
  fill(fd, size);
  const report = Buffer.alloc(size.readUInt32LE(0));
  fill(fd, report);
  return report;
}

function fill(fd: number, buffer: Buffer): void {
  for (let at = 0; at < buffer.length; ) {
    const count = readSync(fd, buffer, at, buffer.length - at, null);
    if (count === 0) throw new Internal('the launcher ended without a report');
    at += count;
  }
}

/** Waits in a thread, so that signals can be handed on meanwhile. */
function readExit(fd: number): Promise<Exit> {
  const report = Buffer.alloc(16);
  return new Promise((resolve, reject) => {
    read(fd, report, 0, report.length, null, (error, count) => {
      closeSync(fd);
      if (error) reject(error);
      else if (count < report.length || report.readUInt32LE(4) !== EXITED)
        reject(new Internal('the launcher was killed'));
      else resolve({ code: report.readInt32LE(8), signal: report.readInt32LE(12) });
    });
  });
}
