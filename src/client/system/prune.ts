import { pruneBuildCache } from '../builder/prune.ts';
import type { Command } from '../command/command.ts';
import { checkFilter } from '../command/filter-flag.ts';
import { flag } from '../command/flag.ts';
import { confirm } from '../command/prompt.ts';
import { pruneContainers } from '../container/prune.ts';
import { humanSize } from '../format/units.ts';
import { pruneImages } from '../image/prune.ts';
import { pruneNetworks } from '../network/prune.ts';
import { pruneVolumes } from '../volume/prune.ts';

export const prune: Command = {
  usage: '[OPTIONS]',
  description: 'Remove unused data',
  flags: [
    flag.bool('all', 'a', 'Remove all unused images not just dangling ones'),
    flag.list('filter', '', 'Provide filter values (e.g. "label=<key>=<value>")', {
      typeName: 'filter',
      check: checkFilter,
    }),
    flag.bool('force', 'f', 'Do not prompt for confirmation'),
    flag.bool('volumes', '', 'Prune anonymous volumes'),
  ],
  arity: { kind: 'none' },
  run: async ({ cli, flags }) => {
    const [all, volumes, filters] = [flags.bool('all'), flags.bool('volumes'), flags.list('filter')];
    if (volumes && filters.some(filter => filter.startsWith('until='))) {
      throw new Error('ERROR: The "until" filter is not supported with "--volumes"');
    }
    const doomed = [
      'all stopped containers',
      'all networks not used by at least one container',
      ...(volumes ? ['all anonymous volumes not used by at least one container'] : []),
      all ? 'all images without at least one container associated to them' : 'all dangling images',
      all ? 'all build cache' : 'unused build cache',
    ];
    const lines = [`WARNING! This will remove:`, ...doomed.map(what => `  - ${what}`), ''];
    if (filters.length > 0)
      lines.push(
        '  Items to be pruned will be filtered with:',
        ...[...filters].sort().map(filter => `  - ${filter}`),
        '',
      );
    if (!flags.bool('force') && !confirm(cli, `${lines.join('\n')}\nAre you sure you want to continue?`)) return;
    let total = 0;
    const done = ({ output, reclaimed }: { output: string; reclaimed: number }): void => {
      total += reclaimed;
      if (output !== '') cli.print(output);
    };
    done(await pruneContainers(cli, filters));
    if (volumes) done(await pruneVolumes(cli, filters, false));
    done({ output: await pruneNetworks(cli, filters), reclaimed: 0 });
    done(await pruneImages(cli, filters, all));
    done(await pruneBuildCache(cli, filters, { all }));
    cli.print(`Total reclaimed space: ${humanSize(total)}`);
  },
};
