import { rmSync } from 'node:fs';
import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { readContext, tlsDirectory, writeContext } from '../config/context-store.ts';
import { checkContextName, readEndpoint, storeTlsFiles } from './endpoint-flag.ts';

export const update: Command = {
  usage: '[OPTIONS] CONTEXT',
  description:
    'Update a context\n\nDocker endpoint config:\n\nNAME                DESCRIPTION\nfrom                Copy named context\'s Docker endpoint configuration\nhost                Docker endpoint on which to connect\nca                  Trust certs signed only by this CA\ncert                Path to TLS certificate file\nkey                 Path to TLS key file\nskip-tls-verify     Skip TLS certificate validation\n\nExample:\n\n$ docker context update my-context --description "some description" --docker "host=tcp://myserver:2376,ca=~/ca-file,cert=~/cert-file,key=~/key-file"',
  flags: [
    flag.string('description', '', 'Description of the context'),
    flag.list('docker', '', 'set the docker endpoint', { typeName: 'stringToString', shownDefault: '[]' }),
  ],
  arity: { kind: 'exactly', count: 1 },
  completes: 'contexts',
  run: async ({ cli, args, flags }) => {
    const name = args[0]!;
    const directory = cli.options.configDirectory;
    checkContextName(name);
    const before = readContext(directory, name);
    const chosen = flags.changed('docker') ? readEndpoint(directory, flags.list('docker')) : undefined;
    if (chosen !== undefined) {
      rmSync(tlsDirectory(directory, name), { recursive: true, force: true });
      storeTlsFiles(directory, name, chosen.files);
    }
    writeContext(directory, {
      ...before,
      Metadata: flags.changed('description')
        ? { ...before.Metadata, Description: flags.string('description') }
        : before.Metadata,
      Endpoints: chosen === undefined ? before.Endpoints : { ...before.Endpoints, docker: chosen.endpoint },
    });
    cli.print(name);
    cli.error(`Successfully updated context ${JSON.stringify(name)}`);
  },
};
