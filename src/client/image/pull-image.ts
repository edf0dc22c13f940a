import type { Cli } from '../cli.ts';
import { registryAuth } from '../config/credentials.ts';
import { showProgress } from '../terminal/progress.ts';
import { familiarName, type Reference } from './reference.ts';

export interface PullOptions {
  readonly platform: string;
  readonly allTags?: boolean;
  /** Where progress is shown; undefined for nowhere. */
  readonly fd: number | undefined;
}

/** Pulls one image, or all tags of a repository. */
export async function pullImage(cli: Cli, reference: Reference, options: PullOptions): Promise<void> {
  const tag = options.allTags === true ? undefined : reference.digest || reference.tag;
  const response = await cli.engine.request('POST', '/images/create', {
    query: {
      fromImage: `${reference.domain === 'docker.io' ? 'docker.io/' : ''}${reference.domain === 'docker.io' ? reference.path : familiarName(reference)}`,
      tag,
      platform: options.platform.toLowerCase() || undefined,
    },
    headers: await registryAuth(cli.config, reference.domain),
  });
  await showProgress(response, { fd: options.fd });
}
