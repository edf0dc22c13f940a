import type { Command } from '../command/command.ts';
import { saveConfig } from '../config/config-file.ts';
import { addressOf, eraseWithHelper, helperFor, hubAddress } from '../config/credentials.ts';

export const logout: Command = {
  usage: '[SERVER]',
  description: 'Log out from a registry.\nIf no server is specified, the default is defined by the daemon.',
  flags: [],
  arity: { kind: 'atMost', count: 1 },
  run: async ({ cli, args }) => {
    const given = args[0] ?? '';
    const address = given === '' ? hubAddress : addressOf(given.replace(/^https?:\/\//, '').split('/')[0]!);
    cli.print(`Removing login credentials for ${address}`);
    const helper = helperFor(cli.config, address);
    if (helper !== undefined) await eraseWithHelper(helper, address);
    const { auths = {} } = cli.config;
    const keys = [address, given, `http://${given}`, `https://${given}`].filter(key => Object.hasOwn(auths, key));
    if (keys.length === 0) return;
    const rest = Object.fromEntries(Object.entries(auths).filter(([key]) => !keys.includes(key)));
    saveConfig(cli.options.configDirectory, { ...cli.config, auths: rest });
  },
};
