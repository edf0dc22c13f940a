import type { Command } from '../command/command.ts';
import { createContainer } from './create-container.ts';
import { createFlags } from './create-flags.ts';
import { readCreateRequest } from './create-request.ts';
import { withRunHint } from './run-error.ts';

export const create: Command = {
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  description: 'Create a new container',
  names: ['container create', 'create'],
  flags: createFlags,
  arity: { kind: 'atLeast', count: 1 },
  interspersed: false,
  completes: 'images',
  run: async ({ cli, args, flags, path }) => {
    const request = await withRunHint(path, async () => readCreateRequest(flags, args));
    const options = {
      name: flags.string('name'),
      platform: flags.string('platform') || (process.env.DOCKER_DEFAULT_PLATFORM ?? ''),
      pull: flags.string('pull'),
      quiet: flags.bool('quiet'),
      cidFile: flags.string('cidfile'),
    };
    if (!['always', 'missing', 'never'].includes(options.pull)) {
      await withRunHint(path, () => createContainer(cli, request, options));
    }
    cli.print(await createContainer(cli, request, options));
  },
};
