import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { inspectEach } from '../format/inspect.ts';
import { segment } from '../http/engine.ts';

export const inspect: Command = {
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  description: 'Display detailed information on one or more volumes',
  flags: [
    flag.string(
      'format',
      'f',
      "Format output using a custom template:\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
    ),
  ],
  arity: { kind: 'atLeast', count: 1 },
  completes: 'volumes',
  run: ({ cli, args, flags }) =>
    inspectEach(
      cli,
      args,
      flags.string('format'),
      async name => await (await cli.engine.request('GET', `/volumes/${segment(name)}`)).text(),
    ),
};
