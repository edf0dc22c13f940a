import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { forEachName } from '../container/each.ts';
import { segment } from '../http/engine.ts';

export const rm: Command = {
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  description: 'Remove one or more volumes. You cannot remove a volume that is in use by a container.',
  names: ['volume rm', 'volume remove'],
  flags: [flag.bool('force', 'f', 'Force the removal of one or more volumes')],
  arity: { kind: 'atLeast', count: 1 },
  completes: 'volumes',
  run: ({ cli, args, flags }) =>
    forEachName(cli, args, name =>
      cli.engine.send('DELETE', `/volumes/${segment(name)}`, { query: { force: flags.bool('force') || undefined } }),
    ),
};
