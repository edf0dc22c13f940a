// Every command's name, in the order of the help page; what each does is in its own file, loaded when it is called.

import type { Command, CommandEntry, CommandGroup } from './command/command.ts';

const entry = (description: string, load: () => Promise<Command>, aliases?: readonly string[]): CommandEntry => ({
  description,
  load,
  ...(aliases !== undefined && { aliases }),
});

const container = {
  ls: entry('List containers', async () => (await import('./container/ls.ts')).ls, ['ps', 'list']),
};

/** The top level. */
export const commands: Readonly<Record<string, CommandEntry | CommandGroup>> = {
  ps: container.ls,
  container: { description: 'Manage containers', children: container },
};

/** Names under their headings, as the program's help page lists them. */
export const sections: readonly (readonly [string, readonly string[]])[] = [
  [
    'Common Commands',
    ['run', 'exec', 'ps', 'build', 'pull', 'push', 'images', 'login', 'logout', 'search', 'version', 'info'],
  ],
  ['Management Commands', ['builder', 'container', 'context', 'image', 'network', 'system', 'volume']],
  [
    'Commands',
    [
      'attach',
      'commit',
      'completion',
      'cp',
      'create',
      'diff',
      'events',
      'export',
      'history',
      'import',
      'inspect',
      'kill',
      'load',
      'logs',
      'pause',
      'port',
      'rename',
      'restart',
      'rm',
      'rmi',
      'save',
      'start',
      'stats',
      'stop',
      'tag',
      'top',
      'unpause',
      'update',
      'wait',
    ],
  ],
];
