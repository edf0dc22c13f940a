import type { ContainerSummary, DiskUsageResponse } from '../../api/index.ts';
import { type Command, StatusError } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { formatList, type RowType } from '../format/formatter.ts';
import { humanSize } from '../format/units.ts';
import { evaluate, goJson, parse } from '../template/index.ts';
import { verboseRows, verboseText } from './df-verbose.ts';

export const df: Command = {
  usage: '[OPTIONS]',
  description: 'Show docker disk usage',
  flags: [
    flag.string(
      'format',
      '',
      "Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n'table TEMPLATE':   Print output in table format using the given Go template\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
    ),
    flag.bool('verbose', 'v', 'Show detailed information on space usage'),
  ],
  arity: { kind: 'none' },
  run: async ({ cli, flags }) => {
    const usage = await cli.engine.json<DiskUsageResponse>('GET', '/system/df');
    const format = flags.string('format');
    if (!flags.bool('verbose')) {
      cli.write(
        formatList(summaries(usage), summaryRow, {
          format,
          defaultTable: '{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}',
        }),
      );
      return;
    }
    if (format === '' || format === 'table') cli.write(verboseText(usage));
    else if (format === 'json') cli.print(goJson(verboseRows(usage), true));
    else {
      try {
        cli.write(evaluate(parse(format), verboseRows(usage)));
      } catch (err) {
        throw new StatusError((err as Error).message, 1);
      }
    }
  },
};

interface Summary {
  readonly type: string;
  readonly total: number;
  readonly active: number;
  readonly size: number;
  readonly reclaimable: number;
  /** Build caches show none. */
  readonly withShare: boolean;
}

const runs = (container: ContainerSummary): boolean => ['running', 'paused', 'restarting'].includes(container.State);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function summaries(usage: DiskUsageResponse): Summary[] {
  const [images, containers, volumes, cache] = [
    usage.Images ?? [],
    usage.Containers ?? [],
    usage.Volumes ?? [],
    usage.BuildCache ?? [],
  ];
  const usedImages = sum(
    images
      .filter(image => image.Containers !== 0 && image.Size !== -1 && image.SharedSize !== -1)
      .map(image => image.Size - image.SharedSize),
  );
  const writable = (list: readonly ContainerSummary[]): number => sum(list.map(container => container.SizeRw ?? 0));
  const sized = volumes.map(volume => volume.UsageData ?? { RefCount: 0, Size: -1 }).filter(use => use.Size !== -1);
  const own = cache.filter(record => !record.Shared);
  const cacheSize = sum(own.map(record => record.Size));
  return [
    {
      type: 'Images',
      total: images.length,
      active: images.filter(image => image.Containers > 0).length,
      size: usage.LayersSize,
      reclaimable: usage.LayersSize - usedImages,
      withShare: true,
    },
    {
      type: 'Containers',
      total: containers.length,
      active: containers.filter(runs).length,
      size: writable(containers),
      reclaimable: writable(containers.filter(container => !runs(container))),
      withShare: true,
    },
    {
      type: 'Local Volumes',
      total: volumes.length,
      active: volumes.filter(volume => (volume.UsageData?.RefCount ?? 0) > 0).length,
      size: sum(sized.map(use => use.Size)),
      reclaimable: sum(sized.filter(use => use.RefCount === 0).map(use => use.Size)),
      withShare: true,
    },
    {
      type: 'Build Cache',
      total: cache.length,
      active: cache.filter(record => record.InUse).length,
      size: cacheSize,
      reclaimable: cacheSize - sum(own.filter(record => record.InUse).map(record => record.Size)),
      withShare: false,
    },
  ];
}

const summaryRow: RowType<Summary> = {
  typeName: '*formatter.diskUsageContext',
  headers: { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
  row: ({ type, total, active, size, reclaimable, withShare }) => ({
    Type: type,
    TotalCount: String(total),
    Active: String(active),
    Size: humanSize(size),
    Reclaimable:
      humanSize(reclaimable) + (withShare && size > 0 ? ` (${Math.trunc((reclaimable * 100) / size)}%)` : ''),
  }),
};
