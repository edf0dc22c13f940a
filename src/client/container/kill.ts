import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { segment } from '../http/engine.ts';
import { forEachName } from './each.ts';

export const kill: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  description: 'Kill one or more running containers',
  names: ['container kill', 'kill'],
  flags: [flag.string('signal', 's', 'Signal to send to the container')],
  arity: { kind: 'atLeast', count: 1 },
  completes: 'runningContainers',
  run: ({ cli, args, flags }) => {
    const query = { signal: flags.string('signal') || undefined };
    return forEachName(cli, args, name => cli.engine.send('POST', `/containers/${segment(name)}/kill`, { query }), {
      parallel: true,
    });
  },
};
