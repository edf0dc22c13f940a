import type { ImageSummary } from '../../api/index.ts';
import type { Command } from '../command/command.ts';
import { checkFilter, encodeFilters } from '../command/filter-flag.ts';
import { flag } from '../command/flag.ts';
import { formatList } from '../format/formatter.ts';
import { imageRow, imageRows } from './row.ts';

export const ls: Command = {
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  description: 'List images',
  names: ['image ls', 'image list', 'images'],
  flags: [
    flag.bool('all', 'a', 'Show all images (default hides intermediate images)'),
    flag.bool('digests', '', 'Show digests'),
    flag.list('filter', 'f', 'Filter output based on conditions provided', { typeName: 'filter', check: checkFilter }),
    flag.string(
      'format',
      '',
      "Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n'table TEMPLATE':   Print output in table format using the given Go template\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
    ),
    flag.bool('no-trunc', '', "Don't truncate output"),
    flag.bool('quiet', 'q', 'Only show image IDs'),
    flag.bool('tree', '', 'List multi-platform images as a tree (EXPERIMENTAL)'),
  ],
  arity: { kind: 'atMost', count: 1 },
  completes: 'images',
  run: async ({ cli, args, flags }) => {
    if (flags.bool('tree')) throw new Error('--tree is not implemented');
    const match = args[0];
    const list = await cli.engine.json<ImageSummary[]>('GET', '/images/json', {
      query: {
        all: flags.bool('all') || undefined,
        filters: encodeFilters(flags.list('filter'), match === undefined || match === '' ? {} : { reference: [match] }),
      },
    });
    const format = flags.string('format') || (flags.bool('quiet') ? '' : (cli.config.imagesFormat ?? ''));
    const digests = flags.bool('digests') || /\.Digest\b/.test(format);
    const wide = flags.bool('digests') ? '{{.Digest}}\t' : '';
    cli.write(
      formatList(imageRows(list, digests), imageRow(flags.bool('no-trunc')), {
        format,
        defaultTable: `{{.Repository}}\t{{.Tag}}\t${wide}{{.ID}}\t{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}`,
        ...(flags.bool('quiet') && { quiet: '{{.ID}}' }),
      }),
    );
  },
};
