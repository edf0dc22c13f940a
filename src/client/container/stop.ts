import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { segment } from '../http/engine.ts';
import { forEachName } from './each.ts';

export const stop: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  description: 'Stop one or more running containers',
  names: ['container stop', 'stop'],
  flags: [
    flag.string('signal', 's', 'Signal to send to the container'),
    flag.int('timeout', 't', 'Seconds to wait before killing the container'),
  ],
  arity: { kind: 'atLeast', count: 1 },
  completes: 'runningContainers',
  run: ({ cli, args, flags }) => {
    const query = {
      signal: flags.string('signal') || undefined,
      t: flags.optionalNumber('timeout') ?? flags.optionalNumber('time'),
    };
    return forEachName(
      cli,
      args,
      name => cli.engine.send('POST', `/containers/${segment(name)}/stop`, { query, accept: [304] }),
      { parallel: true },
    );
  },
};
