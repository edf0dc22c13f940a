import type { ContainersPruneReport } from '../../api/index.ts';
import type { Cli } from '../cli.ts';
import type { Command } from '../command/command.ts';
import { checkFilter } from '../command/filter-flag.ts';
import { flag } from '../command/flag.ts';
import { confirm } from '../command/prompt.ts';
import { pruneFilters } from '../command/prune-filters.ts';
import { humanSize } from '../format/units.ts';

export const prune: Command = {
  usage: '[OPTIONS]',
  description: 'Remove all stopped containers',
  flags: [
    flag.list('filter', '', 'Provide filter values (e.g. "until=<timestamp>")', {
      typeName: 'filter',
      check: checkFilter,
    }),
    flag.bool('force', 'f', 'Do not prompt for confirmation'),
  ],
  arity: { kind: 'none' },
  run: async ({ cli, flags }) => {
    const question = 'WARNING! This will remove all stopped containers.\nAre you sure you want to continue?';
    if (!flags.bool('force') && !confirm(cli, question)) return;
    const { output, reclaimed } = await pruneContainers(cli, flags.list('filter'));
    if (output !== '') cli.print(output);
    cli.print(`Total reclaimed space: ${humanSize(reclaimed)}`);
  },
};

/** Removes all stopped containers; the output names them. */
export async function pruneContainers(
  cli: Cli,
  filters: readonly string[],
): Promise<{ output: string; reclaimed: number }> {
  const report = await cli.engine.json<ContainersPruneReport>('POST', '/containers/prune', {
    query: { filters: pruneFilters(cli.config, filters) },
  });
  const deleted = report.ContainersDeleted ?? [];
  return {
    output: deleted.length === 0 ? '' : `Deleted Containers:\n${deleted.map(id => `${id}\n`).join('')}`,
    reclaimed: report.SpaceReclaimed,
  };
}
