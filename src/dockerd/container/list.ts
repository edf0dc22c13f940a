// GET /containers/json (moby daemon/list.go).

import type { ContainerSummary, EndpointSettings, Filters, PortSummary } from '../../api/index.ts';
import { InvalidArgument, NotFound } from '../../errdefs/index.ts';
import type { Container } from './container.ts';
import { mountPoint } from './inspect.ts';
import { type ContainerRecord, statusOf } from './record.ts';
import type { ContainerServices } from './services.ts';
import { statusText } from './status-text.ts';

export const listFilterKeys = [
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'isolation',
  'is-task',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
] as const;

export interface ListOptions {
  readonly all: boolean;
  /** 0 for no limit. */
  readonly limit: number;
  readonly filters: Filters;
  /** Ids of images that a filter's ancestor means, itself and those built on it. */
  readonly imagesOf: (reference: string) => readonly string[];
}

/** Containers that fit, newest first. */
export function listContainers(services: ContainerServices, options: ListOptions): Container[] {
  const { filters } = options;
  const tests = testsOf(services, options);
  // A status filter, like a limit, means stopped ones too; "running" changes nothing.
  const all = options.all || options.limit > 0 || filters.has('status') || filters.has('exited');
  const found: Container[] = [];
  for (const container of services.store.all()) {
    if (!all && !container.state.running && !filters.has('before') && !filters.has('since')) continue;
    if (!tests.every(test => test(container))) continue;
    found.push(container);
    if (options.limit > 0 && found.length >= options.limit) break;
  }
  return found;
}

type Test = (container: Container) => boolean;

const statuses = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const healths = ['none', 'starting', 'healthy', 'unhealthy'];

function testsOf(services: ContainerServices, { filters, imagesOf }: ListOptions): Test[] {
  const tests: Test[] = [];
  const any = (key: string, test: (container: Container, value: string) => boolean): void => {
    const values = filters.get(key);
    if (values.length > 0) tests.push(container => values.some(value => test(container, value)));
  };
  const bad = (key: string, value: string, why: string) =>
    new InvalidArgument(`invalid filter '${key}=${value}': ${why}`);
  for (const value of filters.get('status')) {
    if (!statuses.includes(value))
      throw bad('status', value, `invalid value for state (${value}): must be one of ${statuses.join(', ')}`);
  }
  for (const value of filters.get('health')) {
    if (!healths.includes(value)) {
      throw bad('health', value, `invalid value for health (${value}): must be one of ${healths.join(', ')}`);
    }
  }
  for (const value of filters.get('exited')) {
    if (!/^-?\d+$/.test(value)) throw bad('exited', value, `strconv.Atoi: parsing "${value}": invalid syntax`);
  }
  any('status', (container, value) => statusOf(container.state) === value);
  any(
    'exited',
    (container, value) =>
      !container.state.running && container.state.exitCode === Number(value) && statusOf(container.state) !== 'created',
  );
  any('health', (container, value) => (container.state.health?.Status ?? 'none') === value);
  any('id', (container, value) => container.id.startsWith(value));
  any('name', (container, value) => matchesName(container.record.name, value));
  if (filters.has('label')) tests.push(container => filters.labels('label', container.record.config.Labels));
  any('network', (container, value) => inNetwork(services, container, value));
  any('volume', (container, value) =>
    container.record.mounts.some(
      mount => mount.Name === value || mount.Destination === value || mount.Source === value,
    ),
  );
  any('publish', (container, value) =>
    hasPort(
      Object.entries(container.record.ports).filter(([, bound]) => bound !== null && bound.length > 0),
      value,
      'publish',
    ),
  );
  any('expose', (container, value) =>
    hasPort(Object.entries(container.record.config.ExposedPorts ?? {}), value, 'expose'),
  );
  const ancestors = filters.get('ancestor');
  if (ancestors.length > 0) {
    const ids = new Set(ancestors.flatMap(imagesOf));
    tests.push(({ record }) => ids.has(record.imageId));
  }
  if (filters.has('is-task')) tests.push(() => !filters.bool('is-task', false));
  const edge = (key: 'before' | 'since'): bigint | undefined => {
    const [reference] = filters.get(key);
    if (reference === undefined) return undefined;
    const container = services.store.lookUp(reference);
    if (container === undefined) throw new NotFound(`No such container: ${reference}`);
    return BigInt(container.record.createdNs);
  };
  const before = edge('before');
  const since = edge('since');
  if (before !== undefined) tests.push(({ record }) => BigInt(record.createdNs) < before);
  if (since !== undefined) tests.push(({ record }) => BigInt(record.createdNs) > since);
  return tests;
}

function matchesName(name: string, pattern: string): boolean {
  try {
    const expression = new RegExp(pattern);
    return expression.test(name) || expression.test(`/${name}`);
  } catch {
    return name.includes(pattern);
  }
}

function inNetwork(services: ContainerServices, { record }: Container, value: string): boolean {
  if (record.networks[value] !== undefined) return true;
  return Object.entries(record.networks).some(([name, settings]) => {
    if (settings.NetworkID !== '' && (settings.NetworkID === value || settings.NetworkID.startsWith(value)))
      return true;
    try {
      return services.networks.getNetwork(value).name === name;
    } catch {
      return false;
    }
  });
}

/** `80`, `80/tcp`, `80-90/udp`: a port of the container's that it exposes, one of the host's that is published. */
function hasPort(ports: readonly (readonly [string, unknown])[], value: string, filter: 'publish' | 'expose'): boolean {
  const match = /^(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(value);
  if (match === null) {
    throw new InvalidArgument(
      `error while looking up for ${filter} ${value}: strconv.ParseUint: parsing "${value}": invalid syntax`,
    );
  }
  const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
  const inRange = (port: number): boolean => port >= from && port <= to;
  return ports.some(([key, bound]) => {
    const [port, protocol] = key.split('/');
    if (protocol !== (match[3] ?? 'tcp')) return false;
    if (filter === 'expose') return inRange(Number(port));
    return (bound as readonly { HostPort: string }[]).some(binding => inRange(Number(binding.HostPort)));
  });
}

/** One item of the list. */
export function summarise(
  { record }: Container,
  imageName: (record: ContainerRecord) => string,
  nowMs: number,
  sizes?: { readonly SizeRw: number; readonly SizeRootFs: number },
): ContainerSummary {
  const { hostConfig } = record;
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: imageName(record),
    ImageID: record.imageId,
    Command: commandText(record),
    Created: Number(BigInt(record.createdNs) / 1_000_000_000n),
    Ports: portSummaries(record),
    ...(sizes !== undefined && {
      ...(sizes.SizeRw !== 0 && { SizeRw: sizes.SizeRw }),
      SizeRootFs: sizes.SizeRootFs,
    }),
    Labels: record.config.Labels ?? {},
    State: statusOf(record.state),
    Status: statusText(record.state, nowMs),
    HostConfig: {
      NetworkMode: hostConfig.NetworkMode,
      ...(hostConfig.Annotations !== undefined &&
        hostConfig.Annotations !== null && { Annotations: hostConfig.Annotations }),
    },
    NetworkSettings: { Networks: listedEndpoints(record) },
    Mounts: record.mounts.map(mountPoint),
  };
}

/** The list shows where a container is, not by which names. */
function listedEndpoints(record: ContainerRecord): Record<string, EndpointSettings> {
  return Object.fromEntries(
    Object.entries(record.networks).map(([name, endpoint]) => [
      name,
      { ...endpoint, Links: null, Aliases: null, DriverOpts: null, DNSNames: null },
    ]),
  );
}

/** Words with blanks are quoted. */
function commandText(record: ContainerRecord): string {
  const quote = (word: string): string => (word.includes(' ') ? `'${word}'` : word);
  return record.args.length === 0 ? record.path : `${record.path} ${record.args.map(quote).join(' ')}`;
}

function portSummaries(record: ContainerRecord): PortSummary[] {
  const list: PortSummary[] = [];
  for (const [key, bindings] of Object.entries(record.ports)) {
    const [port, type = 'tcp'] = key.split('/');
    if (bindings === null || bindings.length === 0) list.push({ PrivatePort: Number(port), Type: type });
    for (const binding of bindings ?? []) {
      list.push({ IP: binding.HostIp, PrivatePort: Number(port), PublicPort: Number(binding.HostPort), Type: type });
    }
  }
  return list;
}
