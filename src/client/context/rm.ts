import { type Command, StatusError } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { saveConfig } from '../config/config-file.ts';
import { contextExists, removeContext } from '../config/context-store.ts';
import { contextName } from '../config/global-options.ts';

export const rm: Command = {
  usage: 'CONTEXT [CONTEXT...]',
  description: 'Remove one or more contexts',
  names: ['context rm', 'context remove'],
  flags: [flag.bool('force', 'f', 'Force the removal of a context in use')],
  arity: { kind: 'atLeast', count: 1 },
  completes: 'contexts',
  run: async ({ cli, args, flags }) => {
    const force = flags.bool('force');
    const errors: string[] = [];
    for (const name of args) {
      if (name === 'default') errors.push('context "default" cannot be removed');
      else if (!contextExists(cli.options.configDirectory, name) && !force)
        errors.push(`context ${JSON.stringify(name)} does not exist`);
      else if (name === contextName(cli.options, cli.config) && !force) {
        errors.push(`context ${JSON.stringify(name)} is in use, set -f flag to force remove`);
      } else {
        removeContext(cli.options.configDirectory, name);
        if (cli.config.currentContext === name) {
          const { currentContext: _gone, ...rest } = cli.config;
          saveConfig(cli.options.configDirectory, rest);
        }
        cli.print(name);
      }
    }
    if (errors.length > 0) throw new StatusError(errors.join('\n'), 1);
    return 0;
  },
};
