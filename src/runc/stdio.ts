// The standard streams of a container or an exec: pipes that the shim keeps one end of, a pty, or the caller's own descriptors.

import type { Op, Slot } from '../launcher/index.ts';
import { O_CLOEXEC, O_NOCTTY, O_RDWR } from './numbers.ts';
import type { Slots } from './slots.ts';

/** `inherit`: descriptors 0, 1 and 2 of whoever runs the program. */
export type Stdio = 'inherit' | StreamPlan;

export interface StreamPlan {
  /** A pty in place of pipes; process.terminal must say the same. */
  readonly terminal: boolean;
  /** A pipe for standard input; else it is /dev/null. */
  readonly stdin: boolean;
  /** As much of it as the kernel allows. */
  readonly pipeSizeBytes: number;
}

export interface StdioOps {
  /** Before the clone. */
  readonly before: readonly Op[];
  /** After it, outside: the container's ends are closed, ours are the shim's. */
  readonly after: readonly Op[];
  /** Inside, when nothing else is opened any more: onto 0, 1 and 2. */
  readonly inside: (nullDevice: Slot) => readonly Op[];
}

/** Plans pipes, owned by the container's user so that it may open /dev/stdout again. */
export function planPipes(plan: StreamPlan, slots: Slots, uid: number, gid: number): StdioOps {
  const pipe = () => ({ read: slots.takeInherited(), write: slots.takeInherited() });
  const stdin = plan.stdin ? pipe() : undefined;
  const stdout = pipe();
  const stderr = pipe();
  const make = (name: string, ends: { read: Slot; write: Slot }): Op => ({
    op: 'pipe',
    ...ends,
    size: plan.pipeSizeBytes,
    uid,
    gid,
    why: name,
  });
  return {
    before: [...(stdin ? [make('stdin', stdin)] : []), make('stdout', stdout), make('stderr', stderr)],
    after: [
      { op: 'stdio', ...(stdin && { stdin: stdin.write }), stdout: stdout.read, stderr: stderr.read },
      ...(stdin ? [{ op: 'close', slot: stdin.read } as const] : []),
      { op: 'close', slot: stdout.write },
      { op: 'close', slot: stderr.write },
    ],
    inside: nullDevice => [
      { op: 'dup', slot: stdin ? stdin.read : nullDevice, fd: 0, why: stdin ? 'stdin' : 'no stdin: /dev/null' },
      { op: 'dup', slot: stdout.write, fd: 1, why: 'stdout' },
      { op: 'dup', slot: stderr.write, fd: 2, why: 'stderr' },
    ],
  };
}

/** Makes the pty's slave the process's terminal and its three streams. */
export const terminalOps = (slave: Slot): readonly Op[] => [
  { op: 'controllingTty', slot: slave, why: 'the session leader takes the pty for its terminal' },
  { op: 'dup', slot: slave, fd: 0, why: 'stdin' },
  { op: 'dup', slot: slave, fd: 1, why: 'stdout' },
  { op: 'dup', slot: slave, fd: 2, why: 'stderr' },
];

/** Flags for opening a terminal or /dev/null as a stream. */
export const streamFlags = O_RDWR | O_NOCTTY | O_CLOEXEC;
