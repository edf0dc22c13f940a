import { native } from '../launcher/index.ts';

// Shims, loggers and runtimes of others are our children only because we started them. Node reaps what its own child_process started
// and nothing else, so we do it whenever a SIGCHLD comes.
const waiting = new Map<number, (exit: ChildExit) => void>();
let listening = false;

export interface ChildExit {
  /** 128 + signal where one killed it. */
  readonly code: number;
  readonly signal: number;
}

/** Sees to it that a child does not stay a zombie; tells how it ended. */
export function reapLater(pid: number): Promise<ChildExit> {
  const ended = new Promise<ChildExit>(resolve => waiting.set(pid, resolve));
  if (!listening) {
    listening = true;
    process.on('SIGCHLD', reap);
  }
  reapOne(pid); // it may have ended before we listened
  return ended;
}

function reap(): void {
  for (const pid of waiting.keys()) reapOne(pid);
}

function reapOne(pid: number): void {
  let exit: ChildExit | null;
  try {
    exit = native().waitPid(pid);
  } catch {
    exit = { code: 0, signal: 0 }; // somebody else has reaped it
  }
  if (exit === null) return;
  waiting.get(pid)?.(exit);
  waiting.delete(pid);
  if (waiting.size > 0) return;
  listening = false;
  process.off('SIGCHLD', reap);
}
