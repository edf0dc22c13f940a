import type { ContainerSummary } from '../../api/index.ts';
import type { Command } from '../command/command.ts';
import { checkFilter, encodeFilters } from '../command/filter-flag.ts';
import { flag } from '../command/flag.ts';
import { formatList } from '../format/formatter.ts';
import { containerRow } from './row.ts';

export const ls: Command = {
  usage: '[OPTIONS]',
  description: 'List containers',
  names: ['container ls', 'container list', 'container ps', 'ps'],
  flags: [
    flag.bool('all', 'a', 'Show all containers (default shows just running)'),
    flag.list('filter', 'f', 'Filter output based on conditions provided', { typeName: 'filter', check: checkFilter }),
    flag.string(
      'format',
      '',
      "Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n'table TEMPLATE':   Print output in table format using the given Go template\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
    ),
    flag.int('last', 'n', 'Show n last created containers (includes all states)', { shownDefault: '-1', initial: -1 }),
    flag.bool('latest', 'l', 'Show the latest created container (includes all states)'),
    flag.bool('no-trunc', '', "Don't truncate output"),
    flag.bool('quiet', 'q', 'Only display container IDs'),
    flag.bool('size', 's', 'Display total file sizes'),
  ],
  arity: { kind: 'none' },
  run: async ({ cli, flags }) => {
    const format = flags.string('format') || cli.config.psFormat || '';
    // Sizes cost the daemon a walk of the file system: only where they are shown.
    const size = flags.bool('size') || /\.Size\b|json \./.test(format);
    const last = flags.bool('latest') ? 1 : flags.number('last');
    const list = await cli.engine.json<ContainerSummary[]>('GET', '/containers/json', {
      query: {
        all: flags.bool('all') || undefined,
        limit: last > 0 ? last : undefined,
        size: size || undefined,
        filters: encodeFilters(flags.list('filter')),
      },
    });
    const noTrunc = flags.bool('no-trunc');
    cli.write(
      formatList(list, containerRow({ noTrunc }), {
        format: flags.bool('quiet') && flags.string('format') === '' ? '' : format,
        defaultTable: `{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}${size ? '\t{{.Size}}' : ''}`,
        ...(flags.bool('quiet') && { quiet: '{{.ID}}' }),
      }),
    );
  },
};
