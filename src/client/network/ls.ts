import type { NetworkInspect } from '../../api/index.ts';
import type { Command } from '../command/command.ts';
import { checkFilter, encodeFilters } from '../command/filter-flag.ts';
import { flag } from '../command/flag.ts';
import { formatList, type RowType } from '../format/formatter.ts';
import { compareNatural, shortId } from '../format/text.ts';

export const ls: Command = {
  usage: '[OPTIONS]',
  description: 'List networks',
  names: ['network ls', 'network list'],
  flags: [
    flag.list('filter', 'f', 'Provide filter values (e.g. "driver=bridge")', {
      typeName: 'filter',
      check: checkFilter,
    }),
    flag.string(
      'format',
      '',
      "Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n'table TEMPLATE':   Print output in table format using the given Go template\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
    ),
    flag.bool('no-trunc', '', 'Do not truncate the output'),
    flag.bool('quiet', 'q', 'Only display network IDs'),
  ],
  arity: { kind: 'none' },
  run: async ({ cli, flags }) => {
    const networks = await cli.engine.json<NetworkInspect[]>('GET', '/networks', {
      query: { filters: encodeFilters(flags.list('filter')) },
    });
    networks.sort((a, b) => compareNatural(a.Name, b.Name));
    cli.write(
      formatList(networks, networkRow(flags.bool('no-trunc')), {
        format: flags.string('format') || (flags.bool('quiet') ? '' : (cli.config.networksFormat ?? '')),
        defaultTable: '{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}',
        ...(flags.bool('quiet') && { quiet: '{{.ID}}' }),
      }),
    );
  },
};

const networkRow = (noTrunc: boolean): RowType<NetworkInspect> => ({
  typeName: '*network.networkContext',
  headers: {
    ID: 'NETWORK ID',
    Name: 'NAME',
    Driver: 'DRIVER',
    Scope: 'SCOPE',
    IPv4: 'IPV4',
    IPv6: 'IPV6',
    Internal: 'INTERNAL',
    Labels: 'LABELS',
    CreatedAt: 'CREATED AT',
  },
  row: network => ({
    ID: noTrunc ? network.Id : shortId(network.Id),
    Name: network.Name,
    Driver: network.Driver,
    Scope: network.Scope,
    IPv4: String(network.EnableIPv4),
    IPv6: String(network.EnableIPv6),
    Internal: String(network.Internal),
    Labels: Object.entries(network.Labels ?? {})
      .map(([name, value]) => `${name}=${value}`)
      .join(','),
    Label: (name: string) => network.Labels?.[name] ?? '',
    CreatedAt: goTime(network.Created),
  }),
  jsonFields: ['CreatedAt', 'Driver', 'ID', 'IPv4', 'IPv6', 'Internal', 'Labels', 'Name', 'Scope'],
});

/** An RFC 3339 time as Go's Time prints. */
const goTime = (text: string): string => {
  const match = /^(\S+)T([0-9:.]+)(Z|[+-]\d{2}:\d{2})$/.exec(text);
  if (match === null) return text;
  const zone = match[3] === 'Z' ? '+0000 UTC' : `${match[3]!.replace(':', '')} ${match[3]!.replace(':', '')}`;
  return `${match[1]} ${match[2]} ${zone}`;
};
