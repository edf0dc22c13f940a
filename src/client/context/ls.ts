import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { listContexts } from '../config/context-store.ts';
import { contextName } from '../config/global-options.ts';
import { formatList, type RowType } from '../format/formatter.ts';
import { compareNatural, ellipsis } from '../format/text.ts';
import { defaultHost } from '../http/endpoint.ts';

interface ContextRow {
  readonly name: string;
  readonly description: string;
  readonly host: string;
  readonly current: boolean;
}

export const ls: Command = {
  usage: '[OPTIONS]',
  description: 'List contexts',
  names: ['context ls', 'context list'],
  flags: [
    flag.string(
      'format',
      '',
      "Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n'table TEMPLATE':   Print output in table format using the given Go template\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
    ),
    flag.bool('quiet', 'q', 'Only show context names'),
  ],
  arity: { kind: 'none' },
  run: async ({ cli, flags }) => {
    const current = contextName(cli.options, cli.config);
    const rows: ContextRow[] = [
      {
        name: 'default',
        description: 'Current DOCKER_HOST based configuration',
        host: cli.options.host ?? (process.env.DOCKER_HOST || defaultHost),
        current: current === 'default',
      },
      ...listContexts(cli.options.configDirectory).map(context => ({
        name: context.Name,
        description: context.Metadata.Description ?? '',
        host: context.Endpoints.docker?.Host ?? '',
        current: context.Name === current,
      })),
    ].sort((a, b) => compareNatural(a.name, b.name));
    cli.write(
      formatList(rows, contextRow, {
        format: flags.string('format'),
        defaultTable: '{{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}',
        ...(flags.bool('quiet') && { quiet: '{{.Name}}' }),
      }),
    );
    if (process.env.DOCKER_HOST && !flags.bool('quiet')) {
      cli.error(
        'Warning: DOCKER_HOST environment variable overrides the active context. To use a context, either set the global --context flag, or unset DOCKER_HOST environment variable.',
      );
    }
  },
};

const contextRow: RowType<ContextRow> = {
  typeName: '*formatter.clientContextContext',
  headers: { Name: 'NAME', Description: 'DESCRIPTION', DockerEndpoint: 'DOCKER ENDPOINT', Error: 'ERROR' },
  row: context => ({
    Name: context.name,
    Description: ellipsis(context.description, 60),
    DockerEndpoint: context.host,
    Current: context.current,
    Error: '',
    ContextType: 'moby',
  }),
  jsonFields: ['Current', 'Description', 'DockerEndpoint', 'Error', 'Name'],
};
