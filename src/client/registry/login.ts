import { readFileSync } from 'node:fs';
import type { AuthResponse } from '../../api/index.ts';
import type { Cli } from '../cli.ts';
import { type Command, StatusError } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { readLine } from '../command/prompt.ts';
import { saveConfig } from '../config/config-file.ts';
import {
  addressOf,
  type Credentials,
  findCredentials,
  helperFor,
  hubAddress,
  storeWithHelper,
} from '../config/credentials.ts';
import { readSecret } from '../terminal/secret.ts';
import { isatty } from '../terminal/window.ts';

export const login: Command = {
  usage: '[OPTIONS] [SERVER]',
  description: 'Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.',
  flags: [
    flag.string('password', 'p', 'Password or Personal Access Token (PAT)'),
    flag.bool('password-stdin', '', 'Take the Password or Personal Access Token (PAT) from stdin'),
    flag.string('username', 'u', 'Username'),
  ],
  arity: { kind: 'atMost', count: 1 },
  run: async ({ cli, args, flags }) => {
    const address =
      args[0] === undefined || args[0] === ''
        ? hubAddress
        : addressOf(args[0].replace(/^https?:\/\//, '').replace(/\/$/, ''));
    let username = flags.string('username');
    let password = flags.string('password');
    if (flags.changed('password')) {
      cli.error('WARNING! Using --password via the CLI is insecure. Use --password-stdin.');
      if (flags.bool('password-stdin')) throw new Error('--password and --password-stdin are mutually exclusive');
    }
    if (flags.bool('password-stdin')) {
      if (username === '') throw new Error('Must provide --username with --password-stdin');
      password = readFileSync(0, 'utf8').replace(/\r?\n$/, '');
    }
    const stored = await findCredentials(cli.config, address);
    if (username === '' && password === '' && stored.username !== '' && stored.password !== '') {
      // What is stored may still do.
      cli.print(`Authenticating with existing credentials... [Username: ${stored.username}]`);
      cli.print('');
      try {
        return await finish(cli, stored);
      } catch (err) {
        cli.error(`Login did not succeed, error: ${(err as Error).message}`);
      }
    }
    if (username === '' || password === '') {
      if (!isatty(0)) throw new StatusError('Error: Cannot perform an interactive login from a non TTY device', 1);
      if (username === '') {
        cli.write(stored.username === '' ? 'Username: ' : `Username (${stored.username}): `);
        username = readLine().trim() || stored.username;
        if (username === '') throw new Error('Error: Non-null Username Required');
      }
      cli.write('Password: ');
      password = await readSecret();
      cli.print('');
      if (password === '') throw new Error('Error: Password Required');
    }
    return await finish(cli, { username, password, serveraddress: address });
  },
};

/** Has the daemon try the credentials, and stores those that are good. */
async function finish(cli: Cli, credentials: Credentials): Promise<number> {
  const answer = await cli.engine.json<AuthResponse>('POST', '/auth', { json: credentials });
  const good = answer.IdentityToken
    ? { ...credentials, password: '', identitytoken: answer.IdentityToken }
    : credentials;
  await store(cli, good);
  if (answer.Status) cli.print(answer.Status);
  return 0;
}

async function store(cli: Cli, credentials: Credentials): Promise<void> {
  const helper = helperFor(cli.config, credentials.serveraddress);
  if (helper !== undefined) {
    await storeWithHelper(helper, credentials);
    // The file remembers that there is something to ask for.
    saveConfig(cli.options.configDirectory, {
      ...cli.config,
      auths: { ...cli.config.auths, [credentials.serveraddress]: {} },
    });
    return;
  }
  const entry = {
    auth: Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64'),
    ...(credentials.identitytoken !== undefined && { identitytoken: credentials.identitytoken }),
  };
  saveConfig(cli.options.configDirectory, {
    ...cli.config,
    auths: { ...cli.config.auths, [credentials.serveraddress]: entry },
  });
  cli.error(`\nWARNING! Your credentials are stored unencrypted in '${cli.options.configDirectory}/config.json'.`);
  cli.error(
    'Configure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n',
  );
}
