import { isNotFound } from '../../errdefs/index.ts';
import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { segment } from '../http/engine.ts';
import { forEachName } from './each.ts';

export const rm: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  description: 'Remove one or more containers',
  names: ['container rm', 'container remove', 'rm'],
  flags: [
    flag.bool('force', 'f', 'Force the removal of a running container (uses SIGKILL)'),
    flag.bool('link', 'l', 'Remove the specified link'),
    flag.bool('volumes', 'v', 'Remove anonymous volumes associated with the container'),
  ],
  arity: { kind: 'atLeast', count: 1 },
  completes: 'containers',
  run: async ({ cli, args, flags }) => {
    const force = flags.bool('force');
    const query = {
      v: flags.bool('volumes') || undefined,
      link: flags.bool('link') || undefined,
      force: force || undefined,
    };
    const names = args.map(name => name.replace(/^\/+|\/+$/g, ''));
    return await forEachName(
      cli,
      names,
      async name => {
        if (name === '') throw new Error('Container name cannot be empty');
        try {
          await cli.engine.send('DELETE', `/containers/${segment(name)}`, { query });
        } catch (err) {
          if (!force || !isNotFound(err)) throw err;
          cli.error((err as Error).message); // gone already, which --force may be content with
          return null;
        }
        return name;
      },
      { parallel: true },
    );
  },
};
