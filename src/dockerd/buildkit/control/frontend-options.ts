// The attributes that clients give the dockerfile frontend (buildkit frontend/dockerui/config.go), as options of a build.

import type { BuildOptions, NamedContext, RunOptions } from '../../../build/index.ts';
import { InvalidArgument, NotImplemented } from '../../../errdefs/index.ts';
import { type Platform, parsePlatform } from '../../../oci/index.ts';
import { buildNetwork } from '../../build/network.ts';
import { defaultPlatform } from '../../build/platform.ts';

export type Attributes = Readonly<Record<string, string>>;

export type FrontendOptions = Omit<BuildOptions, 'dockerfile' | 'ignoreFile'> & {
  /** Name of the Dockerfile in the client's `dockerfile` directory. */
  readonly filename: string;
  readonly contextName: string;
  readonly dockerfileName: string;
  /** A remote main context; absent where the client holds it. */
  readonly remoteContext?: string;
  /** A question about the Dockerfile instead of a build: `frontend.lint` ... */
  readonly request?: string;
};

/** Throws InvalidArgument for what cannot be read. Attributes we do not know are passed over, as BuildKit does. */
export function frontendOptions(attributes: Attributes): FrontendOptions {
  const buildArgs = new Map<string, string>();
  const labels: Record<string, string> = {};
  const namedContexts = new Map<string, NamedContext>();
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('attest:')) throw new NotImplemented(`attestations are not supported: ${key.slice(7)}`);
    if (key.startsWith('build-arg:')) buildArgs.set(key.slice(10), value);
    else if (key.startsWith('label:')) labels[key.slice(6)] = value;
    else if (key.startsWith('context:')) namedContexts.set(key.slice(8).toLowerCase(), namedContext(key, value));
  }
  const text = (name: string): string | undefined => attributes[name] || undefined;
  const platforms: Platform[] = (text('platform')?.split(',') ?? []).map(platform => parsePlatform(platform.trim()));
  const target = text('target');
  const remote = text('context');
  const request = text('requestid');
  return {
    filename: text('filename') ?? 'Dockerfile',
    contextName: text('contextkey') ?? 'context',
    dockerfileName: text('dockerfilekey') ?? 'dockerfile',
    buildArgs,
    labels,
    namedContexts,
    platforms: platforms.length === 0 ? [defaultPlatform()] : platforms,
    buildPlatform: defaultPlatform(),
    network: buildNetwork(text('force-network-mode') ?? ''),
    insecureAllowed: false,
    noCache: 'no-cache' in attributes,
    pull: attributes['image-resolve-mode'] === 'pull',
    explainCache: attributes['build-arg:BERTH_EXPLAIN_CACHE'] === '1',
    cacheFrom: cacheImports(attributes),
    run: runOptions(attributes),
    ...(target !== undefined && { target }),
    ...(remote !== undefined && { remoteContext: remote }),
    ...(request !== undefined && { request }),
  };
}

/** References of images whose cache is to be taken in; other kinds of caches are refused by name. */
function cacheImports(attributes: Attributes): string[] {
  const list = attributes['cache-imports'];
  if (list === undefined || list === '') return attributes['cache-from']?.split(',').filter(ref => ref !== '') ?? [];
  const entries = JSON.parse(list) as readonly { Type: string; Attrs?: Record<string, string> }[];
  return entries.map(({ Type: type, Attrs: given }) => {
    if (type !== 'registry' || given?.ref === undefined)
      throw new NotImplemented(`cache import of type "${type}" is not supported: only registry is`);
    return given.ref;
  });
}

function runOptions(attributes: Attributes): RunOptions {
  const number = (name: string): number | undefined => {
    const text = attributes[name];
    if (text === undefined || text === '') return undefined;
    if (!/^\d{1,16}$/.test(text)) throw new InvalidArgument(`invalid ${name}: ${text}`);
    return Number(text);
  };
  const shmSizeBytes = number('shm-size');
  const memoryBytes = number('memory');
  const cpuShares = number('cpushares');
  const cpuPeriod = number('cpuperiod');
  const cpuQuota = number('cpuquota');
  const cpusetCpus = attributes.cpusetcpus;
  const cgroupParent = attributes['cgroup-parent'];
  const hostname = attributes.hostname;
  return {
    addHosts: attributes['add-hosts']?.split(',').filter(entry => entry !== '') ?? [],
    ulimits: attributes.ulimit?.split(',').filter(entry => entry !== '') ?? [],
    ...(shmSizeBytes !== undefined && { shmSizeBytes }),
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(cpuShares !== undefined && { cpuShares }),
    ...(cpuPeriod !== undefined && { cpuPeriod }),
    ...(cpuQuota !== undefined && { cpuQuota }),
    ...(cpusetCpus && { cpusetCpus }),
    ...(cgroupParent && { cgroupParent }),
    ...(hostname && { hostname }),
  };
}

/** `docker-image://ref`, `local:name`, a URL of a git repository or a tar. */
function namedContext(key: string, value: string): NamedContext {
  if (value.startsWith('docker-image://')) return { kind: 'image', reference: value.slice('docker-image://'.length) };
  if (value.startsWith('local:')) return { kind: 'local', context: value.slice('local:'.length) };
  if (value.startsWith('git://') || value.startsWith('git@') || /^https?:\/\/.*\.git(#.*)?$/.test(value))
    return { kind: 'git', url: value };
  if (/^https?:\/\//.test(value)) return { kind: 'http', url: value };
  throw new NotImplemented(`unsupported context source ${value.split(':')[0]} for ${key.slice(8)}`);
}
