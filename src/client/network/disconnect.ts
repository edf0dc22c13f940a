import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { segment } from '../http/engine.ts';

export const disconnect: Command = {
  usage: '[OPTIONS] NETWORK CONTAINER',
  description: 'Disconnect a container from a network',
  flags: [flag.bool('force', 'f', 'Force the container to disconnect from a network')],
  arity: { kind: 'exactly', count: 2 },
  completes: 'networks',
  run: async ({ cli, args, flags }) => {
    const [network = '', container = ''] = args;
    await cli.engine.send('POST', `/networks/${segment(network)}/disconnect`, {
      json: { Container: container, Force: flags.bool('force') },
    });
  },
};
