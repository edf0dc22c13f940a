import type { Command } from '../command/command.ts';
import { segment } from '../http/engine.ts';
import { forEachName } from './each.ts';

export const unpause: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  description: 'Unpause all processes within one or more containers',
  names: ['container unpause', 'unpause'],
  flags: [],
  arity: { kind: 'atLeast', count: 1 },
  completes: 'runningContainers',
  run: ({ cli, args }) =>
    forEachName(cli, args, name => cli.engine.send('POST', `/containers/${segment(name)}/unpause`), { parallel: true }),
};
