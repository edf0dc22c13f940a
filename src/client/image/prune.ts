import type { ImagesPruneReport } from '../../api/index.ts';
import type { Cli } from '../cli.ts';
import type { Command } from '../command/command.ts';
import { checkFilter } from '../command/filter-flag.ts';
import { flag } from '../command/flag.ts';
import { confirm } from '../command/prompt.ts';
import { pruneFilters } from '../command/prune-filters.ts';
import { humanSize } from '../format/units.ts';

export const prune: Command = {
  usage: '[OPTIONS]',
  description: 'Remove unused images',
  flags: [
    flag.bool('all', 'a', 'Remove all unused images, not just dangling ones'),
    flag.list('filter', '', 'Provide filter values (e.g. "until=<timestamp>")', {
      typeName: 'filter',
      check: checkFilter,
    }),
    flag.bool('force', 'f', 'Do not prompt for confirmation'),
  ],
  arity: { kind: 'none' },
  run: async ({ cli, flags }) => {
    const all = flags.bool('all');
    const warning = all
      ? 'WARNING! This will remove all images without at least one container associated to them.'
      : 'WARNING! This will remove all dangling images.';
    if (!flags.bool('force') && !confirm(cli, `${warning}\nAre you sure you want to continue?`)) return;
    const { output, reclaimed } = await pruneImages(cli, flags.list('filter'), all);
    if (output !== '') cli.print(output);
    cli.print(`Total reclaimed space: ${humanSize(reclaimed)}`);
  },
};

/** Removes images without a name, or with `all` those of no container. */
export async function pruneImages(
  cli: Cli,
  filters: readonly string[],
  all: boolean,
): Promise<{ output: string; reclaimed: number }> {
  const report = await cli.engine.json<ImagesPruneReport>('POST', '/images/prune', {
    query: { filters: pruneFilters(cli.config, filters, { dangling: [String(!all)] }) },
  });
  const deleted = report.ImagesDeleted ?? [];
  const lines = deleted.map(item =>
    item.Untagged === undefined ? `deleted: ${item.Deleted}\n` : `untagged: ${item.Untagged}\n`,
  );
  return { output: lines.length === 0 ? '' : `Deleted Images:\n${lines.join('')}`, reclaimed: report.SpaceReclaimed };
}
