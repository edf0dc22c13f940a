import type { Volume } from '../../api/index.ts';
import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { toMap } from '../container/key-values.ts';

export const create: Command = {
  usage: '[OPTIONS] [VOLUME]',
  description: 'Create a volume',
  flags: [
    flag.string('driver', 'd', 'Specify volume driver name', { shownDefault: '"local"', initial: 'local' }),
    flag.list('label', '', 'Set metadata for a volume'),
    flag.list('opt', 'o', 'Set driver specific options', { typeName: 'map', shownDefault: 'map[]' }),
  ],
  arity: { kind: 'atMost', count: 1 },
  run: async ({ cli, args, flags }) => {
    const name = args[0] ?? '';
    const options = toMap(flags.list('opt'));
    const labels = toMap(flags.list('label'));
    const volume = await cli.engine.json<Volume>('POST', '/volumes/create', {
      json: {
        Driver: flags.string('driver'),
        ...(Object.keys(options).length > 0 && { DriverOpts: options }),
        ...(Object.keys(labels).length > 0 && { Labels: labels }),
        ...(name !== '' && { Name: name }),
      },
    });
    cli.print(volume.Name);
  },
};
