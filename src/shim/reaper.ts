import { native } from '../launcher/index.ts';

// Shims and loggers are our children only because we started them. Node reaps what its own child_process started and nothing else, so we do
// it whenever a SIGCHLD comes.
const waiting = new Set<number>();
let listening = false;

/** Sees to it that a child does not stay a zombie. */
export function reapLater(pid: number): void {
  waiting.add(pid);
  if (!listening) {
    listening = true;
    process.on('SIGCHLD', reap);
  }
}

function reap(): void {
  for (const pid of waiting) {
    try {
      if (native().waitPid(pid) !== null) waiting.delete(pid);
    } catch {
      waiting.delete(pid); // somebody else has reaped it
    }
  }
  if (waiting.size === 0) {
    listening = false;
    process.off('SIGCHLD', reap);
  }
}
