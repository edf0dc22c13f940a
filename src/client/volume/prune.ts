import type { VolumesPruneReport } from '../../api/index.ts';
import type { Cli } from '../cli.ts';
import type { Command } from '../command/command.ts';
import { checkFilter } from '../command/filter-flag.ts';
import { flag } from '../command/flag.ts';
import { confirm } from '../command/prompt.ts';
import { pruneFilters } from '../command/prune-filters.ts';
import { humanSize } from '../format/units.ts';

export const prune: Command = {
  usage: '[OPTIONS]',
  description: 'Remove unused local volumes',
  flags: [
    flag.bool('all', 'a', 'Remove all unused volumes, not just anonymous ones'),
    flag.list('filter', '', 'Provide filter values (e.g. "label=<label>")', { typeName: 'filter', check: checkFilter }),
    flag.bool('force', 'f', 'Do not prompt for confirmation'),
  ],
  arity: { kind: 'none' },
  run: async ({ cli, flags }) => {
    const all = flags.bool('all');
    const warning = all
      ? 'WARNING! This will remove all local volumes not used by at least one container.'
      : 'WARNING! This will remove anonymous local volumes not used by at least one container.';
    if (!flags.bool('force') && !confirm(cli, `${warning}\nAre you sure you want to continue?`)) return;
    const { output, reclaimed } = await pruneVolumes(cli, flags.list('filter'), all);
    if (output !== '') cli.print(output);
    cli.print(`Total reclaimed space: ${humanSize(reclaimed)}`);
  },
};

/** Removes anonymous volumes of no container, or with `all` named ones too. */
export async function pruneVolumes(
  cli: Cli,
  filters: readonly string[],
  all: boolean,
): Promise<{ output: string; reclaimed: number }> {
  const report = await cli.engine.json<VolumesPruneReport>('POST', '/volumes/prune', {
    query: { filters: pruneFilters(cli.config, filters, all ? { all: ['true'] } : {}) },
  });
  const deleted = report.VolumesDeleted ?? [];
  return {
    output: deleted.length === 0 ? '' : `Deleted Volumes:\n${deleted.map(name => `${name}\n`).join('')}`,
    reclaimed: report.SpaceReclaimed,
  };
}
