import type { Command } from '../command/command.ts';
import { segment } from '../http/engine.ts';
import { forEachName } from './each.ts';

export const pause: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  description: 'Pause all processes within one or more containers',
  names: ['container pause', 'pause'],
  flags: [],
  arity: { kind: 'atLeast', count: 1 },
  completes: 'runningContainers',
  run: ({ cli, args }) =>
    forEachName(cli, args, name => cli.engine.send('POST', `/containers/${segment(name)}/pause`), { parallel: true }),
};
