import { isNotFound } from '../../errdefs/index.ts';
import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { inspectEach } from '../format/inspect.ts';
import { segment } from '../http/engine.ts';
import { imageSegment } from '../image/path.ts';

/** Kind → where an object of it is, in the order in which a name is looked up. */
const paths: readonly (readonly [string, (name: string) => string])[] = [
  ['container', name => `/containers/${segment(name)}/json`],
  ['image', name => `/images/${imageSegment(name)}/json`],
  ['network', name => `/networks/${segment(name)}`],
  ['volume', name => `/volumes/${segment(name)}`],
];

/** Kinds that only a swarm or a plugin has: asked for, they are refused by the daemon. */
const swarmPaths: Readonly<Record<string, (name: string) => string>> = {
  config: name => `/configs/${segment(name)}`,
  node: name => `/nodes/${segment(name)}`,
  plugin: name => `/plugins/${segment(name)}/json`,
  secret: name => `/secrets/${segment(name)}`,
  service: name => `/services/${segment(name)}`,
  task: name => `/tasks/${segment(name)}`,
};

export const inspect: Command = {
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  description: 'Return low-level information on Docker objects',
  flags: [
    flag.string(
      'format',
      'f',
      "Format output using a custom template:\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
    ),
    flag.bool('size', 's', 'Display total file sizes if the type is container'),
    flag.string('type', '', 'Only inspect objects of the given type'),
  ],
  arity: { kind: 'atLeast', count: 1 },
  completes: 'containers',
  run: async ({ cli, args, flags }) => {
    const type = flags.string('type');
    if (flags.changed('type') && type === '')
      throw new Error(
        'type is empty: must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"',
      );
    const chosen = type === '' ? paths : [...paths, ...Object.entries(swarmPaths)].filter(([kind]) => kind === type);
    if (chosen.length === 0) {
      throw new Error(
        `unknown type: ${JSON.stringify(type)}: must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"`,
      );
    }
    return await inspectEach(cli, args, flags.string('format'), async name => {
      for (const [kind, path] of chosen) {
        try {
          const response = await cli.engine.request('GET', path(name), {
            query: { size: (kind === 'container' && flags.bool('size')) || undefined },
          });
          return await response.text();
        } catch (err) {
          if (type !== '' || (!isNotFound(err) && !/invalid reference format/.test((err as Error).message))) throw err;
        }
      }
      throw new Error(`Error: No such object: ${name}`);
    });
  },
};
