import type { Log } from './log.ts';
import type { StateStore } from './state-store.ts';

/** What every command gets: the global options, taken apart. */
export interface Context {
  readonly store: StateStore;
  readonly log: Log;
  readonly stdout: (text: string) => void;
}

/** One command of the line. */
export interface Command {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  /** The exit code. */
  run(words: readonly string[], context: Context): Promise<number> | number;
}
