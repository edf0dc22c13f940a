// CLI plugins, found where Docker's client looks for them: executables called docker-NAME.

import { execFile } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import type { ConfigFile } from '../config/config-file.ts';
import { defaultConfigDirectory } from '../config/global-options.ts';

export interface Plugin {
  readonly name: string;
  readonly path: string;
  readonly description: string;
  readonly version: string;
  readonly vendor: string;
}

const systemDirectories = [
  '/usr/local/lib/docker/cli-plugins',
  '/usr/local/libexec/docker/cli-plugins',
  '/usr/lib/docker/cli-plugins',
  '/usr/libexec/docker/cli-plugins',
];

/** In the order of precedence. */
export function pluginDirectories(config: ConfigFile): string[] {
  return [...(config.cliPluginsExtraDirs ?? []), `${defaultConfigDirectory()}/cli-plugins`, ...systemDirectories];
}

/** The file of a plugin, or undefined. */
export function findPlugin(config: ConfigFile, name: string): string | undefined {
  if (!/^[a-z][a-z0-9_-]*$/.test(name)) return undefined;
  for (const directory of pluginDirectories(config)) {
    const path = `${directory}/docker-${name}`;
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next directory may have it.
    }
  }
  return undefined;
}

/** All usable plugins by name; each is asked to describe itself. */
export async function listPlugins(config: ConfigFile): Promise<Plugin[]> {
  const paths = new Map<string, string>();
  for (const directory of pluginDirectories(config)) {
    let files: string[];
    try {
      files = readdirSync(directory);
    } catch {
      continue;
    }
    for (const file of files) {
      const name = /^docker-([a-z][a-z0-9_-]*)$/.exec(file)?.[1];
      if (name !== undefined && !paths.has(name)) paths.set(name, `${directory}/${file}`);
    }
  }
  const described = await Promise.all([...paths].map(([name, path]) => describePlugin(name, path)));
  return described.filter(plugin => plugin !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function describePlugin(name: string, path: string): Promise<Plugin | undefined> {
  const output = await new Promise<string>(resolve => {
    execFile(path, ['docker-cli-plugin-metadata'], { timeout: 5000 }, (err, stdout) =>
      resolve(err === null ? stdout : ''),
    );
  });
  try {
    const metadata = JSON.parse(output) as Record<string, unknown>;
    if (metadata.SchemaVersion !== '0.1.0') return undefined;
    const text = (key: string): string => (typeof metadata[key] === 'string' ? metadata[key] : '');
    return { name, path, description: text('ShortDescription'), version: text('Version'), vendor: text('Vendor') };
  } catch {
    return undefined;
  }
}
