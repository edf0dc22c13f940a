// What a command is. Each lives in a file of its own, named after it, and is loaded when it is called.

import type { Cli } from '../cli.ts';
import type { Flag } from './flag.ts';
import type { Flags } from './flags.ts';

/** How many arguments a command takes. */
export type Arity =
  | { readonly kind: 'none' }
  | { readonly kind: 'exactly'; readonly count: number }
  | { readonly kind: 'atLeast'; readonly count: number }
  | { readonly kind: 'atMost'; readonly count: number }
  | { readonly kind: 'between'; readonly least: number; readonly most: number }
  | { readonly kind: 'any' };

export interface Invocation {
  readonly cli: Cli;
  readonly args: readonly string[];
  readonly flags: Flags;
  /** The words by which the command was called, such as "berth container run". */
  readonly path: string;
}

export interface Command {
  /** The usage line after the command's name, such as "[OPTIONS] IMAGE [COMMAND] [ARG...]". */
  readonly usage: string;
  /** The first line on its own in the list of commands, all of it on the help page. */
  readonly description: string;
  /** Every full name, without the program's; shown on the help page. */
  readonly names?: readonly string[];
  readonly arity: Arity;
  readonly flags: readonly Flag[];
  /** False: flags end at the first argument. */
  readonly interspersed?: boolean;
  /** What arguments are, for the shell's completion. */
  readonly completes?: 'containers' | 'runningContainers' | 'images' | 'networks' | 'volumes' | 'contexts';
  /** Does it; resolves to the exit status, 0 when nothing is said. */
  readonly run: (invocation: Invocation) => Promise<number | undefined> | Promise<void>;
}

/** A command in the tree: what lists of commands show, and where the rest comes from. */
export interface CommandEntry {
  readonly description: string;
  readonly hidden?: boolean;
  /** Other words that call it. */
  readonly aliases?: readonly string[];
  readonly load: () => Promise<Command>;
}

export interface CommandGroup {
  readonly description: string;
  readonly hidden?: boolean;
  readonly children: Readonly<Record<string, CommandEntry>>;
}

export const isGroup = (node: CommandEntry | CommandGroup): node is CommandGroup => 'children' in node;

/** A failure that decides the exit status, shown as it is. An empty message shows nothing. */
export class StatusError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}
