import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { segment } from '../http/engine.ts';
import { saveStream } from '../terminal/save-stream.ts';

export const exportContainer: Command = {
  usage: '[OPTIONS] CONTAINER',
  description: "Export a container's filesystem as a tar archive",
  names: ['container export', 'export'],
  flags: [flag.string('output', 'o', 'Write to a file, instead of STDOUT')],
  arity: { kind: 'exactly', count: 1 },
  completes: 'containers',
  run: async ({ cli, args, flags }) => {
    const output = flags.string('output');
    await saveStream(output, 'failed to export container', async () => {
      const response = await cli.engine.request('GET', `/containers/${segment(args[0]!)}/export`);
      return response.body();
    });
  },
};
