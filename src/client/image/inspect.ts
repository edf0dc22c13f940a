import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { inspectEach } from '../format/inspect.ts';
import { imageSegment } from './path.ts';
import { platformJson } from './rm.ts';

export const inspect: Command = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  description: 'Display detailed information on one or more images',
  flags: [
    flag.string(
      'format',
      'f',
      "Format output using a custom template:\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
    ),
    flag.string(
      'platform',
      '',
      "Inspect a specific platform of the multi-platform image.\nIf the image or the server is not multi-platform capable, the command will error out if the platform does not match.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)",
    ),
  ],
  arity: { kind: 'atLeast', count: 1 },
  completes: 'images',
  run: ({ cli, args, flags }) =>
    inspectEach(cli, args, flags.string('format'), async name => {
      const platform = flags.string('platform');
      const response = await cli.engine.request('GET', `/images/${imageSegment(name)}/json`, {
        query: { platform: platform === '' ? undefined : platformJson(platform) },
      });
      return await response.text();
    }),
};
