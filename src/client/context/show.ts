import type { Command } from '../command/command.ts';
import { contextName } from '../config/global-options.ts';

export const show: Command = {
  usage: '',
  description: 'Print the name of the current context',
  flags: [],
  arity: { kind: 'none' },
  run: async ({ cli }) => cli.print(contextName(cli.options, cli.config)),
};
