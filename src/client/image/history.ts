import type { ImageHistoryItem } from '../../api/index.ts';
import { humanDuration } from '../../api/index.ts';
import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { formatList, type RowType } from '../format/formatter.ts';
import { ellipsis, shortId } from '../format/text.ts';
import { localRfc3339 } from '../format/time.ts';
import { humanSize } from '../format/units.ts';
import { imageSegment } from './path.ts';
import { platformJson } from './rm.ts';

export const history: Command = {
  usage: '[OPTIONS] IMAGE',
  description: 'Show the history of an image',
  names: ['image history', 'history'],
  flags: [
    flag.string(
      'format',
      '',
      "Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n'table TEMPLATE':   Print output in table format using the given Go template\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
    ),
    flag.bool('human', 'H', 'Print sizes and dates in human readable format', { shownDefault: 'true', initial: true }),
    flag.bool('no-trunc', '', "Don't truncate output"),
    flag.string(
      'platform',
      '',
      'Show history for the given platform. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    ),
    flag.bool('quiet', 'q', 'Only show image IDs'),
  ],
  arity: { kind: 'exactly', count: 1 },
  completes: 'images',
  run: async ({ cli, args, flags }) => {
    const platform = flags.string('platform');
    const items = await cli.engine.json<ImageHistoryItem[]>('GET', `/images/${imageSegment(args[0]!)}/history`, {
      query: { platform: platform === '' ? undefined : platformJson(platform) },
    });
    const human = flags.bool('human');
    cli.write(
      formatList(items, historyRow(flags.bool('no-trunc'), human), {
        format: flags.string('format'),
        defaultTable: `{{.ID}}\t${human ? '{{if .CreatedSince}}{{.CreatedSince}}{{else}}N/A{{end}}' : '{{.CreatedAt}}'}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}`,
        ...(flags.bool('quiet') && { quiet: '{{.ID}}' }),
      }),
    );
  },
};

const historyRow = (noTrunc: boolean, human: boolean): RowType<ImageHistoryItem> => ({
  typeName: '*image.historyContext',
  headers: {
    ID: 'IMAGE',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    CreatedBy: 'CREATED BY',
    Size: 'SIZE',
    Comment: 'COMMENT',
  },
  row: item => {
    const createdAt = item.Created === 0 ? '' : localRfc3339(item.Created * 1000);
    const createdBy = item.CreatedBy.replaceAll('\t', ' ');
    return {
      ID: noTrunc ? item.Id : item.Id.startsWith('<') ? item.Id : shortId(item.Id),
      CreatedSince: human
        ? item.Created === 0
          ? 'N/A'
          : `${humanDuration(Date.now() - item.Created * 1000)} ago`
        : createdAt,
      CreatedAt: createdAt,
      CreatedBy: noTrunc ? createdBy : ellipsis(createdBy, 45),
      Size: human ? humanSize(item.Size, 3) : String(item.Size),
      Comment: item.Comment,
    };
  },
});
