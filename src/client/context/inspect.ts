import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { contextTlsFiles, metadataDirectory, readContext, tlsDirectory } from '../config/context-store.ts';
import { contextName } from '../config/global-options.ts';
import { inspectEach } from '../format/inspect.ts';
import { defaultHost } from '../http/endpoint.ts';
import { goJson } from '../template/index.ts';

export const inspect: Command = {
  usage: '[OPTIONS] [CONTEXT] [CONTEXT...]',
  description: 'Display detailed information on one or more contexts',
  flags: [
    flag.string(
      'format',
      'f',
      "Format output using a custom template:\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
    ),
  ],
  arity: { kind: 'any' },
  completes: 'contexts',
  run: ({ cli, args, flags }) => {
    const directory = cli.options.configDirectory;
    const names = args.length === 0 ? [contextName(cli.options, cli.config)] : args;
    return inspectEach(cli, names, flags.string('format'), async name => {
      if (name === 'default') {
        const host = cli.options.host ?? (process.env.DOCKER_HOST || defaultHost);
        return goJson(
          {
            Name: 'default',
            Metadata: {},
            Endpoints: { docker: { Host: host, SkipTLSVerify: false } },
            TLSMaterial: {},
            Storage: { MetadataPath: '<IN MEMORY>', TLSPath: '<IN MEMORY>' },
          },
          true,
        );
      }
      const context = readContext(directory, name);
      const files = Object.values(contextTlsFiles(directory, name)).map(path => path.slice(path.lastIndexOf('/') + 1));
      return goJson(
        {
          ...context,
          TLSMaterial: files.length === 0 ? {} : { docker: files },
          Storage: { MetadataPath: metadataDirectory(directory, name), TLSPath: tlsDirectory(directory, name) },
        },
        true,
      );
    });
  },
};
