import type { BuildCachePruneReport } from '../../api/index.ts';
import type { Cli } from '../cli.ts';
import type { Command } from '../command/command.ts';
import { checkFilter } from '../command/filter-flag.ts';
import { flag } from '../command/flag.ts';
import { confirm } from '../command/prompt.ts';
import { pruneFilters } from '../command/prune-filters.ts';
import { humanSize } from '../format/units.ts';

export const prune: Command = {
  usage: '',
  description: 'Remove build cache',
  flags: [
    flag.bool('all', 'a', 'Remove all unused build cache, not just dangling ones'),
    flag.list('filter', '', 'Provide filter values (e.g. "until=24h")', { typeName: 'filter', check: checkFilter }),
    flag.bool('force', 'f', 'Do not prompt for confirmation'),
    flag.bytes('keep-storage', '', 'Amount of disk space to keep for cache'),
  ],
  arity: { kind: 'none' },
  run: async ({ cli, flags }) => {
    const all = flags.bool('all');
    const warning = all
      ? 'WARNING! This will remove all build cache.'
      : 'WARNING! This will remove all dangling build cache.';
    if (!flags.bool('force') && !confirm(cli, `${warning} Are you sure you want to continue?`)) return;
    const keep = flags.number('keep-storage');
    const { output, reclaimed } = await pruneBuildCache(cli, flags.list('filter'), {
      all,
      ...(keep > 0 && { keepBytes: keep }),
    });
    if (output !== '') cli.print(output);
    cli.print(`Total reclaimed space: ${humanSize(reclaimed)}`);
  },
};

/** Removes unused build cache; a daemon that keeps none has nothing to remove. */
export async function pruneBuildCache(
  cli: Cli,
  filters: readonly string[],
  options: { readonly all: boolean; readonly keepBytes?: number },
): Promise<{ output: string; reclaimed: number }> {
  const report = await cli.engine.json<BuildCachePruneReport>('POST', '/build/prune', {
    query: {
      all: options.all || undefined,
      'keep-storage': options.keepBytes,
      filters: pruneFilters(cli.config, filters),
    },
  });
  const deleted = report.CachesDeleted ?? [];
  return {
    output: deleted.length === 0 ? '' : `Deleted build cache objects:\n${deleted.map(id => `${id}\n`).join('')}`,
    reclaimed: report.SpaceReclaimed,
  };
}
