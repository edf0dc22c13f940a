import { join } from 'node:path';
import { unpackDebian } from './debian.ts';

/** The folder of docker-compose and docker-buildx, for `cliPluginsExtraDirs` of the CLI's config.json; undefined where they cannot be had. */
export async function pluginDir(): Promise<string | undefined> {
  const root = await unpackDebian('cli-plugins', ['docker-compose', 'docker-buildx'], 'testing');
  return root === undefined ? undefined : join(root, 'usr/libexec/docker/cli-plugins');
}
