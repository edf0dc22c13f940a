import type { ContainerTopResponse } from '../../api/index.ts';
import type { Command } from '../command/command.ts';
import { alignTable } from '../format/table.ts';
import { segment } from '../http/engine.ts';

export const top: Command = {
  usage: 'CONTAINER [ps OPTIONS]',
  description: 'Display the running processes of a container',
  names: ['container top', 'top'],
  flags: [],
  arity: { kind: 'atLeast', count: 1 },
  interspersed: false,
  completes: 'runningContainers',
  run: async ({ cli, args }) => {
    const [name = '', ...psArgs] = args;
    const { Titles: titles, Processes: processes } = await cli.engine.json<ContainerTopResponse>(
      'GET',
      `/containers/${segment(name)}/top`,
      { query: { ps_args: psArgs.length === 0 ? undefined : psArgs.join(' ') } },
    );
    const lines = [titles, ...(processes ?? [])].map(cells => `${cells.join('\t')}\n`);
    cli.write(alignTable(lines.join(''), { minWidth: 20, padding: 3 }));
  },
};
