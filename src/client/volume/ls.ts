import type { Volume, VolumeListResponse } from '../../api/index.ts';
import type { Command } from '../command/command.ts';
import { checkFilter, encodeFilters } from '../command/filter-flag.ts';
import { flag } from '../command/flag.ts';
import { formatList, type RowType } from '../format/formatter.ts';
import { compareNatural } from '../format/text.ts';
import { humanSize } from '../format/units.ts';

export const ls: Command = {
  usage: '[OPTIONS]',
  description: 'List volumes',
  names: ['volume ls', 'volume list'],
  flags: [
    flag.list('filter', 'f', 'Provide filter values (e.g. "dangling=true")', {
      typeName: 'filter',
      check: checkFilter,
    }),
    flag.string(
      'format',
      '',
      "Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n'table TEMPLATE':   Print output in table format using the given Go template\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
    ),
    flag.bool('quiet', 'q', 'Only display volume names'),
  ],
  arity: { kind: 'none' },
  run: async ({ cli, flags }) => {
    const { Volumes: volumes } = await cli.engine.json<VolumeListResponse>('GET', '/volumes', {
      query: { filters: encodeFilters(flags.list('filter')) },
    });
    const sorted = [...(volumes ?? [])].sort((a, b) => compareNatural(a.Name, b.Name));
    cli.write(
      formatList(sorted, volumeRow, {
        format: flags.string('format') || (flags.bool('quiet') ? '' : (cli.config.volumesFormat ?? '')),
        defaultTable: '{{.Driver}}\t{{.Name}}',
        ...(flags.bool('quiet') && { quiet: '{{.Name}}' }),
      }),
    );
  },
};

/** What lists show of a volume. Availability, Group and Status are a cluster volume's, which we have not. */
export const volumeRow: RowType<Volume> = {
  typeName: '*formatter.volumeContext',
  headers: {
    Name: 'VOLUME NAME',
    Driver: 'DRIVER',
    Scope: 'SCOPE',
    Mountpoint: 'MOUNTPOINT',
    Labels: 'LABELS',
    Links: 'LINKS',
    Size: 'SIZE',
    Group: 'GROUP',
    Availability: 'AVAILABILITY',
    Status: 'STATUS',
  },
  row: volume => ({
    Name: volume.Name,
    Driver: volume.Driver,
    Scope: volume.Scope,
    Mountpoint: volume.Mountpoint,
    Labels: Object.entries(volume.Labels ?? {})
      .map(([name, value]) => `${name}=${value}`)
      .join(','),
    Label: (name: string) => volume.Labels?.[name] ?? '',
    Links: volume.UsageData === undefined ? 'N/A' : String(volume.UsageData.RefCount),
    Size: volume.UsageData === undefined ? 'N/A' : humanSize(volume.UsageData.Size),
    Group: 'N/A',
    Availability: 'N/A',
    Status: 'N/A',
  }),
  jsonFields: ['Availability', 'Driver', 'Group', 'Labels', 'Links', 'Mountpoint', 'Name', 'Scope', 'Size', 'Status'],
};
