import type { Command } from '../command/command.ts';
import { saveConfig } from '../config/config-file.ts';
import { readContext } from '../config/context-store.ts';

export const use: Command = {
  usage: 'CONTEXT',
  description: 'Set the current docker context',
  flags: [],
  arity: { kind: 'exactly', count: 1 },
  completes: 'contexts',
  run: async ({ cli, args }) => {
    const name = args[0]!;
    if (name !== 'default') readContext(cli.options.configDirectory, name);
    const { currentContext: _before, ...rest } = cli.config;
    saveConfig(cli.options.configDirectory, name === 'default' ? rest : { ...rest, currentContext: name });
    cli.print(name);
    cli.error(`Current context is now ${JSON.stringify(name)}`);
    if (name !== 'default' && process.env.DOCKER_HOST) {
      cli.error(
        `Warning: DOCKER_HOST environment variable overrides the active context. To use ${JSON.stringify(name)}, either set the global --context flag, or unset DOCKER_HOST environment variable.`,
      );
    }
  },
};
