import type { VersionResponse } from '../../api/index.ts';
import { newestVersion } from '../../api/index.ts';
import type { Cli } from '../cli.ts';
import { type Command, StatusError } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { contextName } from '../config/global-options.ts';
import { ansiTime } from '../format/time.ts';
import { clientVersion } from '../program.ts';
import { evaluate, goJson, parse } from '../template/index.ts';

export const version: Command = {
  usage: '[OPTIONS]',
  description: 'Show the Docker version information',
  flags: [
    flag.string(
      'format',
      'f',
      "Format output using a custom template:\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
    ),
  ],
  arity: { kind: 'none' },
  run: async ({ cli, flags }) => {
    const format = flags.string('format');
    const template = format === '' || format === 'json' ? undefined : parseFormat(format);
    let server: VersionResponse | undefined;
    let failure: Error | undefined;
    try {
      server = await cli.engine.json<VersionResponse>('GET', '/version');
    } catch (err) {
      failure = err as Error;
    }
    const client = clientInfo(cli);
    if (format === 'json')
      cli.print(goJson({ Client: client, Server: server === undefined ? null : withDates(server) }));
    else if (template !== undefined) {
      const data = {
        Client: withGoNames(client),
        Server: server === undefined ? null : withGoNames(withDates(server)),
      };
      cli.print(runTemplate(cli, template, data));
    } else cli.write(clientText(client) + (server === undefined ? '' : `\n${serverText(server)}`));
    if (failure !== undefined) throw failure;
  },
};

interface ClientInfo {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly DefaultAPIVersion: string;
  readonly GitCommit: string;
  readonly GoVersion: string;
  readonly NodeVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly BuildTime: string;
  readonly Context: string;
}

const goArch: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export function clientInfo(cli: Cli): ClientInfo {
  return {
    Version: clientVersion,
    ApiVersion: cli.engine.version,
    DefaultAPIVersion: newestVersion,
    GitCommit: '',
    GoVersion: '',
    NodeVersion: process.version,
    Os: 'linux',
    Arch: goArch[process.arch] ?? process.arch,
    BuildTime: '',
    Context: contextName(cli.options, cli.config),
  };
}

function clientText(client: ClientInfo): string {
  const downgraded =
    client.ApiVersion === client.DefaultAPIVersion ? '' : ` (downgraded from ${client.DefaultAPIVersion})`;
  return (
    `Client:\n Version:           ${client.Version}\n API version:       ${client.ApiVersion}${downgraded}\n` +
    ` Node version:      ${client.NodeVersion}\n OS/Arch:           ${client.Os}/${client.Arch}\n Context:           ${client.Context}\n`
  );
}

function serverText(server: VersionResponse): string {
  const platform = server.Platform?.Name ? ` ${server.Platform.Name}` : '';
  let text = `Server:${platform}\n`;
  for (const component of server.Components ?? []) {
    text += ` ${component.Name}:\n`;
    const { Details: details = {}, Name: name, Version: own } = component;
    if (name !== 'Engine') {
      text += `  Version:          ${own}\n`;
      for (const [key, value] of Object.entries(details)) text += `  ${`${key}:`.padEnd(18)}${value}\n`;
      continue;
    }
    const minimum = details.MinAPIVersion ? ` (minimum version ${details.MinAPIVersion})` : '';
    text += `  Version:          ${own}\n  API version:      ${details.ApiVersion}${minimum}\n  Go version:       ${details.GoVersion}\n`;
    text += `  Git commit:       ${details.GitCommit}\n  Built:            ${ansiTime(details.BuildTime ?? '')}\n`;
    text += `  OS/Arch:          ${details.Os}/${details.Arch}\n  Experimental:     ${details.Experimental}\n`;
  }
  return text;
}

/** Templates go by Go's name of the field, JSON by the other. */
const withGoNames = <T extends { readonly ApiVersion: string }>(value: T): T =>
  Object.defineProperty({ ...value }, 'APIVersion', { value: value.ApiVersion });

/** In JSON the engine's component has its date as people read it. */
function withDates(server: VersionResponse): VersionResponse {
  return {
    ...server,
    Components: (server.Components ?? []).map(component =>
      component.Details?.BuildTime === undefined
        ? component
        : { ...component, Details: { ...component.Details, BuildTime: ansiTime(component.Details.BuildTime) } },
    ),
  };
}

function parseFormat(format: string): ReturnType<typeof parse> {
  try {
    return parse(format.replaceAll('\\t', '\t').replaceAll('\\n', '\n'), 'version');
  } catch (err) {
    throw new StatusError(`template parsing error: ${(err as Error).message}`, 64);
  }
}

function runTemplate(cli: Cli, template: ReturnType<typeof parse>, data: object): string {
  try {
    return evaluate(template, data, { typeName: 'system.versionInfo' });
  } catch (err) {
    cli.print('');
    throw new StatusError((err as Error).message, 1);
  }
}
