import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { saveStream } from '../terminal/save-stream.ts';
import { platformJson } from './rm.ts';

export const save: Command = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  description: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
  names: ['image save', 'save'],
  flags: [
    flag.string('output', 'o', 'Write to a file, instead of STDOUT'),
    flag.string(
      'platform',
      '',
      'Save only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    ),
  ],
  arity: { kind: 'atLeast', count: 1 },
  completes: 'images',
  run: async ({ cli, args, flags }) => {
    const platforms = flags.list('platform').map(platformJson);
    await saveStream(flags.string('output'), 'failed to save image', async () => {
      const response = await cli.engine.request('GET', '/images/get', {
        query: { names: args, platform: platforms.length === 0 ? undefined : platforms },
      });
      return response.body();
    });
  },
};
