// The query of POST /build as options of a build (moby daemon/server/router/build/build_routes.go, newImageBuildOptions).

import type { BuildOptions } from '../../build/index.ts';
import { InvalidArgument, NotImplemented } from '../../errdefs/index.ts';
import { parsePlatform } from '../../oci/index.ts';
import { type AuthConfig, decodeRegistryConfig, parseReference } from '../../registry/index.ts';
import type { Call } from '../server/call.ts';
import { buildNetwork } from './network.ts';
import { defaultPlatform } from './platform.ts';

export interface ClassicRequest {
  /** Path within the context. */
  readonly dockerfile: string;
  readonly tags: readonly string[];
  readonly quiet: boolean;
  /** BuildKit's records instead of the classic text (`version=2`). */
  readonly trace: boolean;
  readonly buildId: string;
  /** URL of a context that is not sent. */
  readonly remote: string;
  readonly auth: ReadonlyMap<string, AuthConfig>;
  readonly options: Omit<BuildOptions, 'dockerfile' | 'ignoreFile'>;
}

export function classicRequest(call: Call): ClassicRequest {
  const { query } = call;
  const tags = query.all('t').filter(tag => tag !== '');
  for (const tag of tags) checkTag(tag);
  if (query.bool('squash')) throw new NotImplemented('squash is not supported by this engine');
  const outputs = json<readonly unknown[]>(call, 'outputs') ?? [];
  if (outputs.length > 0) throw new NotImplemented('outputs are not supported by the classic door: use BuildKit');
  for (const name of ['memswap', 'cpusetmems']) {
    if (query.text(name) !== '' && query.text(name) !== '0')
      throw new NotImplemented(`${name} is not supported in builds`);
  }
  const platform = query.text('platform');
  const target = query.text('target');
  const args = json<Record<string, string | null>>(call, 'buildargs') ?? {};
  const config = call.header('x-registry-config');
  return {
    dockerfile: query.text('dockerfile') || 'Dockerfile',
    tags,
    quiet: query.bool('q'),
    trace: query.text('version') === '2',
    buildId: query.text('buildid'),
    remote: query.text('remote'),
    auth: config === '' ? new Map() : decodeRegistryConfig(config),
    options: {
      buildArgs: new Map(Object.entries(args).filter((entry): entry is [string, string] => entry[1] !== null)),
      labels: json<Record<string, string>>(call, 'labels') ?? {},
      platforms: [platform === '' ? defaultPlatform() : parsePlatform(platform)],
      buildPlatform: defaultPlatform(),
      namedContexts: new Map(),
      network: buildNetwork(query.text('networkmode')),
      insecureAllowed: false,
      noCache: query.bool('nocache'),
      pull: query.bool('pull'),
      explainCache: false,
      cacheFrom: json<readonly string[]>(call, 'cachefrom') ?? [],
      run: runOptions(call),
      ...(target !== '' && { target }),
    },
  };
}

function runOptions(call: Call): BuildOptions['run'] {
  const { query } = call;
  const ulimits = json<readonly { Name: string; Soft: number; Hard: number }[]>(call, 'ulimits') ?? [];
  const number = (name: string): number | undefined => query.integer(name) || undefined;
  const memoryBytes = number('memory');
  const cpuShares = number('cpushares');
  const cpuPeriod = number('cpuperiod');
  const cpuQuota = number('cpuquota');
  const cpusetCpus = query.text('cpusetcpus');
  const cgroupParent = query.text('cgroupparent');
  const shmSizeBytes = number('shmsize');
  return {
    addHosts: hosts(call),
    ulimits: ulimits.map(({ Name, Soft, Hard }) => `${Name}=${Soft}:${Hard}`),
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(cpuShares !== undefined && { cpuShares }),
    ...(cpuPeriod !== undefined && { cpuPeriod }),
    ...(cpuQuota !== undefined && { cpuQuota }),
    ...(cpusetCpus !== '' && { cpusetCpus }),
    ...(cgroupParent !== '' && { cgroupParent }),
    ...(shmSizeBytes !== undefined && { shmSizeBytes }),
  };
}

/** Repeated, or a list in JSON as docker-py sends it. */
function hosts(call: Call): string[] {
  return call.query
    .all('extrahosts')
    .filter(text => text !== '')
    .flatMap(text => (text.startsWith('[') ? parsed<string[]>(text, 'extrahosts') : [text]));
}

function json<T>(call: Call, name: string): T | undefined {
  const text = call.query.text(name);
  return text === '' ? undefined : (parsed<T | null>(text, name) ?? undefined);
}

function parsed<T>(text: string, name: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new InvalidArgument(`error reading ${name}: ${(cause as Error).message}`, { cause });
  }
}

function checkTag(tag: string): void {
  try {
    const reference = parseReference(tag);
    if (reference.digest === undefined) return;
  } catch (cause) {
    throw new InvalidArgument(`invalid reference format`, { cause });
  }
  throw new InvalidArgument('build tag cannot contain a digest');
}
