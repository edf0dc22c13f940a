import type { Command } from '../context.ts';
import { withPrefix } from '../failure.ts';
import { Flags } from '../flags.ts';
import { containerId, createContainer, createFlags } from '../start-program.ts';

export const create: Command = {
  name: 'create',
  usage: 'create [command options] <container-id>',
  summary: 'create a container',
  run: (words, context) =>
    withPrefix('runc create failed', async () => {
      const flags = new Flags(words, createFlags);
      await createContainer(context, flags, containerId(flags, 'create'), 'fifo', false);
      return 0;
    }),
};
