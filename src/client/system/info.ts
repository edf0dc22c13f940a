import type { InfoResponse } from '../../api/index.ts';
import { newestVersion } from '../../api/index.ts';
import { type Command, StatusError } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { listPlugins } from '../plugin/find.ts';
import { evaluate, goJson, parse } from '../template/index.ts';
import { infoText } from './info-text.ts';
import { clientInfo } from './version.ts';

export const info: Command = {
  usage: '[OPTIONS]',
  description: 'Display system-wide information',
  names: ['system info', 'info'],
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
    const [server, plugins] = await Promise.all([
      cli.engine.json<InfoResponse>('GET', '/info').catch((err: Error) => err),
      listPlugins(cli.config),
    ]);
    const failure = server instanceof Error ? server : undefined;
    const client = clientInfo(cli);
    const clientPart = {
      Debug: cli.options.debug,
      Version: client.Version,
      DefaultAPIVersion: newestVersion,
      Os: client.Os,
      Arch: client.Arch,
      Context: client.Context,
      Plugins: plugins.map(plugin => ({
        Name: plugin.name,
        Vendor: plugin.vendor,
        Version: plugin.version,
        ShortDescription: plugin.description,
        Path: plugin.path,
      })),
      Warnings: null,
    };
    const data = {
      ...(server instanceof Error ? {} : server),
      ClientInfo: clientPart,
      ...(failure !== undefined && { ServerErrors: [failure.message] }),
    };
    if (format === 'json') cli.print(goJson(data));
    else if (format !== '') {
      let template: ReturnType<typeof parse>;
      try {
        template = parse(format);
      } catch (err) {
        throw new StatusError(`template parsing error: ${(err as Error).message}`, 64);
      }
      try {
        cli.print(evaluate(template, data, { typeName: 'system.dockerInfo' }));
      } catch (err) {
        cli.print('');
        throw new StatusError((err as Error).message, 1);
      }
      if (failure !== undefined) throw failure;
    } else {
      const text = infoText(clientPart, server instanceof Error ? undefined : server);
      cli.write(text.output);
      for (const warning of text.warnings) cli.error(warning);
      if (failure !== undefined) throw failure;
    }
  },
};
