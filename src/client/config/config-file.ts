// ~/.docker/config.json: Docker's own file, read and written so that its client and ours can share it.

import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';

export interface StoredAuth {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly email?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/** The fields we use; the rest is kept when the file is written. */
export interface ConfigFile {
  readonly auths?: Readonly<Record<string, StoredAuth>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly HttpHeaders?: Readonly<Record<string, string>>;
  readonly psFormat?: string;
  readonly imagesFormat?: string;
  readonly networksFormat?: string;
  readonly volumesFormat?: string;
  readonly statsFormat?: string;
  readonly detachKeys?: string;
  readonly currentContext?: string;
  readonly cliPluginsExtraDirs?: readonly string[];
  readonly aliases?: Readonly<Record<string, string>>;
  readonly proxies?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly pruneFilters?: readonly string[];
}

const pathOf = (directory: string): string => `${directory}/config.json`;

/** An absent file is an empty one; a broken one is warned about and then too. */
export function loadConfig(directory: string, warn: (message: string) => void): ConfigFile {
  let text: string;
  try {
    text = readFileSync(pathOf(directory), 'utf8');
  } catch (err) {
    const { code, message } = err as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') warn(`WARNING: Error loading config file: ${message}`);
    return {};
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as ConfigFile;
    throw new Error('not an object');
  } catch (err) {
    warn(`WARNING: Error parsing config file (${pathOf(directory)}): ${(err as Error).message}`);
    return {};
  }
}

/** Replaces the file in one step, with the mode it had; a new one is for its owner only. */
export function saveConfig(directory: string, config: ConfigFile): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = pathOf(directory);
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(config, null, '\t')}`, { mode: 0o600 });
  try {
    chmodSync(temporary, statSync(path).mode & 0o777);
  } catch {
    // There was none before.
  }
  renameSync(temporary, path);
}
