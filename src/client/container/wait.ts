import type { ContainerWaitResponse } from '../../api/index.ts';
import type { Command } from '../command/command.ts';
import { segment } from '../http/engine.ts';
import { forEachName } from './each.ts';

export const wait: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  description: 'Block until one or more containers stop, then print their exit codes',
  names: ['container wait', 'wait'],
  flags: [],
  arity: { kind: 'atLeast', count: 1 },
  completes: 'containers',
  run: ({ cli, args }) =>
    forEachName(cli, args, async name => {
      const answer = await cli.engine.json<ContainerWaitResponse>('POST', `/containers/${segment(name)}/wait`);
      if (answer.Error?.Message) throw new Error(answer.Error.Message);
      return String(answer.StatusCode);
    }),
};
