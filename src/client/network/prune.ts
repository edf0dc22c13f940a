import type { NetworksPruneReport } from '../../api/index.ts';
import type { Cli } from '../cli.ts';
import type { Command } from '../command/command.ts';
import { checkFilter } from '../command/filter-flag.ts';
import { flag } from '../command/flag.ts';
import { confirm } from '../command/prompt.ts';
import { pruneFilters } from '../command/prune-filters.ts';

export const prune: Command = {
  usage: '[OPTIONS]',
  description: 'Remove all unused networks',
  flags: [
    flag.list('filter', '', 'Provide filter values (e.g. "until=<timestamp>")', {
      typeName: 'filter',
      check: checkFilter,
    }),
    flag.bool('force', 'f', 'Do not prompt for confirmation'),
  ],
  arity: { kind: 'none' },
  run: async ({ cli, flags }) => {
    const question =
      'WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?';
    if (!flags.bool('force') && !confirm(cli, question)) return;
    const output = await pruneNetworks(cli, flags.list('filter'));
    if (output !== '') cli.print(output);
  },
};

export async function pruneNetworks(cli: Cli, filters: readonly string[]): Promise<string> {
  const report = await cli.engine.json<NetworksPruneReport>('POST', '/networks/prune', {
    query: { filters: pruneFilters(cli.config, filters) },
  });
  const deleted = report.NetworksDeleted ?? [];
  return deleted.length === 0 ? '' : `Deleted Networks:\n${deleted.map(name => `${name}\n`).join('')}`;
}
