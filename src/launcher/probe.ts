// For tests: runs programs on the real kernel and answers what their processes said.

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Op, type Program, ProgramError, type ProgramFailure, runProgram } from './index.ts';

export const NEWNS = 0x20000;
export const NEWUTS = 0x4000000;
export const NEWIPC = 0x8000000;
export const NEWUSER = 0x10000000;
export const NEWPID = 0x20000000;
export const NEWNET = 0x40000000;
export const IN_ROOT = 0x10;
export const NO_SYMLINKS = 0x04;

/** Makes every mount of a new mount namespace private, so that nothing of a test shows outside. */
export const privateMounts: Op = {
  op: 'mountSetattr',
  path: '/',
  set: 0,
  clear: 0,
  propagation: 1 << 18,
  recursive: true,
};

/** A fresh tmpfs at `path`, also in `slot`. */
export function tmpfs(slot: number, path: string): Op[] {
  return [
    { op: 'fsmount', slot, type: 'tmpfs', source: 'tmpfs', options: ['mode=755'], attributes: 0 },
    { op: 'moveMount', slot, path },
  ];
}

/** The last op of a process: a shell of the host. */
export function shell(script: string): Op {
  return {
    op: 'exec',
    candidates: ['/bin/sh'],
    args: ['sh', '-c', script],
    env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C'],
  };
}

/** A program that starts one process in new namespaces and waits until it executes. */
export function child(flags: number, ...program: Op[]): Program {
  return [
    { op: 'clone', flags, program },
    { op: 'await', peer: 'exec' },
  ];
}

/** Runs a program until its child has ended: what that printed, and its exit code. */
export async function outputOf(program: Program): Promise<{ text: string; code: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-probe-'));
  const file = join(folder, 'output');
  const fd = openSync(file, 'a+');
  try {
    const run = await runProgram(program, { stdio: [-1, fd, fd], wait: true });
    const exit = await run.exited;
    return { text: readFileSync(file, 'utf8'), code: exit?.code ?? -1 };
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
}

/** The failure that a program must end with. */
export async function failureOf(program: Program): Promise<ProgramFailure & { code: string; message: string }> {
  try {
    const run = await runProgram(program, { stdio: [-1, 2, 2], wait: true });
    await run.exited;
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    return { ...error.failure, code: error.code, message: error.message };
  }
  throw new Error('the program did not fail');
}

/** Skips with the reason where a test needs what only root has. */
export const needsRoot = process.getuid?.() === 0 ? false : 'needs root';
