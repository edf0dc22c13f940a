// Registry credentials: in config.json itself, or behind a credential helper (docker-credential-NAME) that it names.

import { spawn } from 'node:child_process';
import type { ConfigFile, StoredAuth } from './config-file.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
  readonly serveraddress: string;
}

/** The key of Docker Hub in config.json. */
export const hubAddress = 'https://index.docker.io/v1/';

export const addressOf = (domain: string): string =>
  domain === 'docker.io' || domain === 'index.docker.io' ? hubAddress : domain;

const hostOf = (address: string): string => address.replace(/^https?:\/\//, '').split('/')[0]!;

/** The helper that keeps a registry's credentials, if one does. */
export const helperFor = (config: ConfigFile, address: string): string | undefined =>
  config.credHelpers?.[address] ?? config.credHelpers?.[hostOf(address)] ?? (config.credsStore || undefined);

/** What is stored for a registry; empty values where nothing is. */
export async function findCredentials(config: ConfigFile, address: string): Promise<Credentials> {
  const helper = helperFor(config, address);
  if (helper !== undefined) {
    const found = await getFromHelper(helper, address);
    if (found !== undefined) return found;
  }
  const stored =
    config.auths?.[address] ?? Object.entries(config.auths ?? {}).find(([key]) => hostOf(key) === hostOf(address))?.[1];
  return decodeStored(stored, address);
}

function decodeStored(stored: StoredAuth | undefined, address: string): Credentials {
  const decoded = Buffer.from(stored?.auth ?? '', 'base64').toString();
  const colon = decoded.indexOf(':');
  return {
    username: stored?.username ?? (colon < 0 ? '' : decoded.slice(0, colon)),
    password: stored?.password ?? (colon < 0 ? '' : decoded.slice(colon + 1).replace(/\0+$/, '')),
    ...(stored?.identitytoken !== undefined && { identitytoken: stored.identitytoken }),
    ...(stored?.registrytoken !== undefined && { registrytoken: stored.registrytoken }),
    serveraddress: address,
  };
}

async function getFromHelper(helper: string, address: string): Promise<Credentials | undefined> {
  const output = await runHelper(helper, 'get', address);
  if (output === undefined) return undefined;
  const { Username: username = '', Secret: secret = '' } = JSON.parse(output) as { Username?: string; Secret?: string };
  if (username === '<token>') return { username: '', password: '', identitytoken: secret, serveraddress: address };
  return { username, password: secret, serveraddress: address };
}

export async function storeWithHelper(helper: string, credentials: Credentials): Promise<void> {
  const token = credentials.identitytoken ?? '';
  const entry = {
    ServerURL: credentials.serveraddress,
    Username: token === '' ? credentials.username : '<token>',
    Secret: token === '' ? credentials.password : token,
  };
  if ((await runHelper(helper, 'store', JSON.stringify(entry))) === undefined) {
    throw new Error(`error storing credentials: docker-credential-${helper} failed`);
  }
}

export const eraseWithHelper = async (helper: string, address: string): Promise<void> =>
  void (await runHelper(helper, 'erase', address));

/** The helper's output, or undefined when it has nothing or cannot be run. */
function runHelper(helper: string, action: string, input: string): Promise<string | undefined> {
  return new Promise(resolve => {
    const child = spawn(`docker-credential-${helper}`, [action], { stdio: ['pipe', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.on('data', chunk => {
      output += chunk;
    });
    child.once('error', () => resolve(undefined));
    child.once('close', code => resolve(code === 0 ? output : undefined));
    child.stdin.on('error', () => {}); // it may not read
    child.stdin.end(input);
  });
}

/** The header that carries credentials to the daemon. */
export const encodeAuth = (credentials: Credentials): string =>
  Buffer.from(JSON.stringify(credentials)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');

/** X-Registry-Auth for a registry; without stored credentials an empty object, as Docker sends it. */
export async function registryAuth(config: ConfigFile, domain: string): Promise<Record<string, string>> {
  const found = await findCredentials(config, addressOf(domain));
  const { username, password, identitytoken, registrytoken } = found;
  const any = username !== '' || password !== '' || identitytoken !== undefined || registrytoken !== undefined;
  return { 'X-Registry-Auth': any ? encodeAuth(found) : Buffer.from('{}').toString('base64') };
}
