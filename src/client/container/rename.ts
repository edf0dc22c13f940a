import { type Command, StatusError } from '../command/command.ts';
import { segment } from '../http/engine.ts';

export const rename: Command = {
  usage: 'CONTAINER NEW_NAME',
  description: 'Rename a container',
  names: ['container rename', 'rename'],
  flags: [],
  arity: { kind: 'exactly', count: 2 },
  completes: 'containers',
  run: async ({ cli, args }) => {
    const [from = '', to = ''] = args.map(arg => arg.trim());
    if (from === '' || to === '') throw new Error('Error: Neither old nor new names may be empty');
    try {
      await cli.engine.send('POST', `/containers/${segment(from)}/rename`, { query: { name: to } });
    } catch (err) {
      cli.error((err as Error).message);
      throw new StatusError(`Error: failed to rename container named ${from}`, 1);
    }
  },
};
