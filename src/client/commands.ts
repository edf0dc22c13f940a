// Every command's name, in the order of the help page; what each does is in its own file, loaded when it is called.

import type { Command, CommandEntry, CommandGroup } from './command/command.ts';

const entry = (description: string, load: () => Promise<Command>, aliases?: readonly string[]): CommandEntry => ({
  description,
  load,
  ...(aliases !== undefined && { aliases }),
});

const container = {
  attach: entry(
    'Attach local standard input, output, and error streams to a running container',
    async () => (await import('./container/attach.ts')).attach,
  ),
  create: entry('Create a new container', async () => (await import('./container/create.ts')).create),
  exec: entry('Execute a command in a running container', async () => (await import('./container/exec.ts')).exec),
  logs: entry('Fetch the logs of a container', async () => (await import('./container/logs.ts')).logs),
  ls: entry('List containers', async () => (await import('./container/ls.ts')).ls, ['ps', 'list']),
  run: entry('Create and run a new container from an image', async () => (await import('./container/run.ts')).run),
  start: entry('Start one or more stopped containers', async () => (await import('./container/start.ts')).start),
};

/** The top level. */
export const commands: Readonly<Record<string, CommandEntry | CommandGroup>> = {
  attach: container.attach,
  create: container.create,
  exec: container.exec,
  logs: container.logs,
  run: container.run,
  start: container.start,
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
