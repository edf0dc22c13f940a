import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { contextExists, contextTlsFiles, readContext, writeContext } from '../config/context-store.ts';
import { checkContextName, readEndpoint, storeTlsFiles } from './endpoint-flag.ts';

export const create: Command = {
  usage: '[OPTIONS] CONTEXT',
  description:
    'Create a context\n\nDocker endpoint config:\n\nNAME                DESCRIPTION\nfrom                Copy named context\'s Docker endpoint configuration\nhost                Docker endpoint on which to connect\nca                  Trust certs signed only by this CA\ncert                Path to TLS certificate file\nkey                 Path to TLS key file\nskip-tls-verify     Skip TLS certificate validation\n\nExample:\n\n$ docker context create my-context --description "some description" --docker "host=tcp://myserver:2376,ca=~/ca-file,cert=~/cert-file,key=~/key-file"',
  flags: [
    flag.string('description', '', 'Description of the context'),
    flag.list('docker', '', 'set the docker endpoint', { typeName: 'stringToString', shownDefault: '[]' }),
    flag.string('from', '', 'create context from a named context'),
  ],
  arity: { kind: 'exactly', count: 1 },
  run: async ({ cli, args, flags }) => {
    const name = args[0]!;
    const directory = cli.options.configDirectory;
    checkContextName(name);
    if (contextExists(directory, name)) throw new Error(`context ${JSON.stringify(name)} already exists`);
    const from = flags.string('from');
    const chosen =
      from !== '' && from !== 'default'
        ? {
            endpoint: readContext(directory, from).Endpoints.docker ?? { SkipTLSVerify: false },
            files: contextTlsFiles(directory, from),
          }
        : readEndpoint(
            directory,
            from === 'default' || flags.list('docker').length === 0 ? ['from=default'] : flags.list('docker'),
          );
    const description = flags.string('description');
    storeTlsFiles(directory, name, chosen.files);
    writeContext(directory, {
      Name: name,
      Metadata: description === '' ? {} : { Description: description },
      Endpoints: { docker: chosen.endpoint },
    });
    cli.print(name);
    cli.error(`Successfully created context ${JSON.stringify(name)}`);
  },
};
