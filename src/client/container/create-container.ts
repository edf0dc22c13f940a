// POST /containers/create, with the pull that a missing image asks for.

import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import type { ContainerCreateResponse } from '../../api/index.ts';
import { isNotFound } from '../../errdefs/index.ts';
import type { Cli } from '../cli.ts';
import { StatusError } from '../command/command.ts';
import { proxyVariables } from '../config/proxies.ts';
import { pullImage } from '../image/pull-image.ts';
import { familiar, parseReference, withDefaultTag } from '../image/reference.ts';
import type { CreateRequest } from './create-request.ts';

export interface CreateOptions {
  readonly name: string;
  readonly platform: string;
  readonly pull: string;
  readonly quiet: boolean;
  readonly cidFile: string;
}

/** Creates it and answers its id; warnings go to standard error. */
export async function createContainer(cli: Cli, request: CreateRequest, options: CreateOptions): Promise<string> {
  if (!['always', 'missing', 'never'].includes(options.pull)) {
    throw new Error(`invalid pull option: '${options.pull}': must be one of "always", "missing" or "never"`);
  }
  checkPlatform(options.platform);
  const cidFile = openCidFile(options.cidFile);
  let id = '';
  try {
    const reference = referenceOf(String(request.config.Image));
    if (reference !== undefined && options.pull === 'always') await pull(cli, reference, options);
    const created = await create(cli, request, options, reference);
    id = created.Id;
    for (const warning of created.Warnings ?? []) cli.error(`WARNING: ${warning}`);
    if (cidFile !== undefined) writeSync(cidFile, id);
    return id;
  } finally {
    if (cidFile !== undefined) {
      closeSync(cidFile);
      if (id === '') unlinkSync(options.cidFile);
    }
  }
}

/** Variables of the request win over those of the configuration. */
function withProxies(
  env: readonly string[] | null,
  proxies: Readonly<Record<string, string>>,
): readonly string[] | null {
  const given = new Set((env ?? []).map(entry => entry.split('=')[0]));
  const added = Object.entries(proxies)
    .filter(([name]) => !given.has(name))
    .map(([name, value]) => `${name}=${value}`);
  return added.length === 0 ? env : [...(env ?? []), ...added];
}

type PullReference = ReturnType<typeof parseReference>;

async function create(
  cli: Cli,
  request: CreateRequest,
  options: CreateOptions,
  reference: PullReference | undefined,
): Promise<ContainerCreateResponse> {
  const send = (): Promise<ContainerCreateResponse> =>
    cli.engine.json('POST', '/containers/create', {
      query: { name: options.name || undefined, platform: options.platform || undefined },
      json: {
        ...request.config,
        Env: withProxies(
          request.config.Env as readonly string[] | null,
          proxyVariables(cli.config, cli.engine.endpoint.url),
        ),
        HostConfig: request.hostConfig,
        NetworkingConfig: { EndpointsConfig: request.endpoints },
      },
    });
  try {
    return await send();
  } catch (err) {
    if (
      !isNotFound(err) ||
      reference === undefined ||
      options.pull !== 'missing' ||
      !(err as Error).message.includes('No such image')
    )
      throw err;
    if (!options.quiet) cli.error(`Unable to find image '${familiar(reference)}' locally`);
    await pull(cli, reference, options);
    return await send();
  }
}

const pull = (cli: Cli, reference: PullReference, options: CreateOptions): Promise<void> =>
  pullImage(cli, reference, { platform: options.platform, fd: options.quiet ? undefined : 2 });

/** Undefined for an image id, which cannot be pulled. Throws on what is neither. */
function referenceOf(image: string): PullReference | undefined {
  if (/^[0-9a-f]{64}$/.test(image) || /^sha256:[0-9a-f]{64}$/.test(image)) return undefined;
  try {
    return withDefaultTag(parseReference(image));
  } catch (err) {
    throw new Error((err as Error).message);
  }
}

function checkPlatform(platform: string): void {
  if (platform === '' || /^[A-Za-z0-9_.-]+(\([^)]*\))?(\/[A-Za-z0-9_.-]+){0,2}$/.test(platform)) return;
  throw new StatusError(
    `error parsing specified platform: ${JSON.stringify(platform)}: cannot parse platform specifier: invalid argument`,
    1,
  );
}

function openCidFile(path: string): number | undefined {
  if (path === '') return undefined;
  try {
    return openSync(path, 'wx', 0o666);
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new Error(`failed to create the container ID file: ${(err as Error).message}`);
    throw new Error(`container ID file found, make sure the other container isn't running or delete ${path}`);
  }
}
