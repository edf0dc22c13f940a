import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { segment } from '../http/engine.ts';
import { forEachName } from './each.ts';

export const restart: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  description: 'Restart one or more containers',
  names: ['container restart', 'restart'],
  flags: [
    flag.string('signal', 's', 'Signal to send to the container'),
    flag.int('timeout', 't', 'Seconds to wait before killing the container'),
  ],
  arity: { kind: 'atLeast', count: 1 },
  completes: 'containers',
  run: ({ cli, args, flags }) => {
    const query = {
      signal: flags.string('signal') || undefined,
      t: flags.optionalNumber('timeout') ?? flags.optionalNumber('time'),
    };
    return forEachName(
      cli,
      args,
      name => cli.engine.send('POST', `/containers/${segment(name)}/restart`, { query, accept: [304] }),
      { parallel: false },
    );
  },
};
