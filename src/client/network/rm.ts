import { isNotFound } from '../../errdefs/index.ts';
import { type Command, StatusError } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { segment } from '../http/engine.ts';

export const rm: Command = {
  usage: 'NETWORK [NETWORK...]',
  description: 'Remove one or more networks',
  names: ['network rm', 'network remove'],
  flags: [flag.bool('force', 'f', 'Do not error if the network does not exist')],
  arity: { kind: 'atLeast', count: 1 },
  completes: 'networks',
  run: async ({ cli, args, flags }) => {
    let failed = false;
    for (const name of args) {
      try {
        await cli.engine.send('DELETE', `/networks/${segment(name)}`);
        cli.print(name);
      } catch (err) {
        if (flags.bool('force') && isNotFound(err)) continue;
        cli.error((err as Error).message);
        failed = true;
      }
    }
    if (failed) throw new StatusError('exit status 1', 1);
    return 0;
  },
};
