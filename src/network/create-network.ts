// From `docker network create` to a record: everything that can be wrong with the request is said here.

import { isIP } from 'node:net';
import { AlreadyExists, InvalidArgument, NotFound, PermissionDenied } from '../errdefs/index.ts';
import { AddressPool } from './ipam/address-pool.ts';
import { contains, formatPrefix, type Prefix, parseAddress, parseCidr, parsePrefix, prefixOf } from './ipam/prefix.ts';
import { type AddressPoolConfig, chooseSubnet, refuseOverlap, type TakenPrefix } from './ipam/subnets.ts';
import { newId } from './names.ts';
import { type CreateNetworkOptions, type IpamConfig, type NetworkRecord, predefinedNetworks } from './network.ts';

/** What a new network has to get along with. */
export interface Surroundings {
  readonly networks: readonly NetworkRecord[];
  /** Subnets of other networks. */
  readonly taken: readonly TakenPrefix[];
  /** Routes of the host; only subnets of our own choice keep clear of them. */
  readonly routes: () => readonly TakenPrefix[];
  readonly pools: readonly AddressPoolConfig[];
  readonly drivers: ReadonlySet<string>;
  readonly now: string;
}

/** Checks and completes a request. */
export function newNetworkRecord(request: CreateNetworkOptions, around: Surroundings): NetworkRecord {
  checkName(request.name, around.networks);
  const driver = request.driver === undefined || request.driver === '' ? 'bridge' : request.driver;
  if (driver === 'host' || driver === 'null') {
    throw new PermissionDenied(`only one instance of "${driver}" network is allowed`);
  }
  if (!around.drivers.has(driver)) throw new NotFound(`plugin "${driver}" not found`);
  const ipamDriver = request.ipam?.driver || 'default';
  if (ipamDriver !== 'default' && ipamDriver !== 'null') throw new NotFound(`plugin "${ipamDriver}" not found`);
  const source = configSource(request, around.networks);
  const asked = source?.ipam.config ?? request.ipam?.config ?? [];
  checkIpam(asked);
  const base = {
    enableIPv4: request.enableIPv4 ?? true,
    enableIPv6: (request.enableIPv6 ?? false) || (source?.enableIPv6 ?? false),
  };
  if (!base.enableIPv4 && !base.enableIPv6) throw new InvalidArgument('IPv4 or IPv6 must be enabled');
  const configOnly = request.configOnly ?? false;
  const ipam =
    configOnly || ipamDriver === 'null' ? asShown(asked) : completeIpam(asked, base, request, driver, around);
  return {
    id: newId(),
    name: request.name,
    created: around.now,
    scope: 'local',
    driver,
    ...base,
    ipam: { driver: ipamDriver, options: request.ipam?.options ?? {}, config: ipam.map(entry => entry.config) },
    subnetConfigured: ipam.map(entry => entry.configured),
    gateways: ipam.map(entry => entry.gateway),
    internal: request.internal ?? source?.internal ?? false,
    attachable: request.attachable ?? source?.attachable ?? false,
    ingress: request.ingress ?? false,
    configOnly,
    configFrom: request.configFrom ?? '',
    options: request.options ?? source?.options ?? {},
    labels: request.labels ?? {},
  };
}

function checkName(name: string, networks: readonly NetworkRecord[]): void {
  if (name.trim() === '') throw new InvalidArgument('invalid name: name is empty');
  if (predefinedNetworks.has(name) || name === 'default') {
    throw new PermissionDenied(`operation is not permitted on predefined ${name} network`);
  }
  if (networks.some(network => network.name === name)) {
    throw new AlreadyExists(`network with name ${name} already exists`);
  }
}

function configSource(request: CreateNetworkOptions, networks: readonly NetworkRecord[]): NetworkRecord | undefined {
  const name = request.configFrom;
  if (name === undefined || name === '') return undefined;
  const source = networks.find(network => network.name === name);
  if (source === undefined) throw new NotFound(`network ${name} not found`);
  if (!source.configOnly) throw new InvalidArgument(`configuration network "${name}" is not a config-only network`);
  return source;
}

/** All that is wrong with the subnets, each on a line, as the API's own validation lists it. */
function checkIpam(config: readonly IpamConfig[]): void {
  const problems = config.flatMap(ipamProblems);
  if (problems.length > 0) throw new InvalidArgument(`invalid network config:\n${problems.join('\n')}`);
}

function ipamProblems(entry: IpamConfig): string[] {
  let subnet: Prefix;
  try {
    subnet = parsePrefix(entry.subnet ?? '');
  } catch (err) {
    return [(err as Error).message];
  }
  const text = formatPrefix(subnet);
  const problems: string[] = [];
  if (entry.ipRange !== undefined && entry.ipRange !== '') {
    const range = parseCidr(entry.ipRange);
    if (range === undefined) problems.push(`invalid ip-range ${entry.ipRange}: invalid CIDR block notation`);
    else if (!contains(subnet, range.value, range.bits) || range.length < subnet.length) {
      problems.push(`invalid ip-range ${entry.ipRange}: parent subnet ${text} doesn't contain ip-range`);
    } else if (prefixOf(range.value, range.bits, range.length).base !== range.value) {
      problems.push(
        `invalid ip-range ${entry.ipRange}: it should be ${formatPrefix(prefixOf(range.value, range.bits, range.length))}`,
      );
    }
  }
  const addresses: [string, string][] = [
    ...(entry.gateway ? [['gateway', entry.gateway] as [string, string]] : []),
    ...Object.values(entry.auxiliaryAddresses ?? {}).map(address => ['auxiliary address', address] as [string, string]),
  ];
  for (const [what, address] of addresses) {
    if (isIP(address) === 0) problems.push(`invalid ${what} ${address}: invalid address`);
    else {
      const { bits, value } = parseAddress(address);
      if (!contains(subnet, value, bits)) {
        problems.push(`invalid ${what} ${address}: parent subnet ${text} doesn't contain this address`);
      }
    }
  }
  return problems;
}

interface CompletedEntry {
  readonly config: IpamConfig;
  readonly configured: boolean;
  readonly gateway: string;
}

const asShown = (config: readonly IpamConfig[]): CompletedEntry[] =>
  config.map(entry => ({ config: entry, configured: true, gateway: entry.gateway ?? '' }));

/** Gives each family that has no subnet one, and each subnet a gateway. */
function completeIpam(
  asked: readonly IpamConfig[],
  families: { enableIPv4: boolean; enableIPv6: boolean },
  request: CreateNetworkOptions,
  driver: string,
  around: Surroundings,
): CompletedEntry[] {
  const entries = asked
    .map(entry => ({ config: entry, prefix: parsePrefix(entry.subnet ?? '') }))
    .filter(({ prefix }) => (prefix.bits === 32 ? families.enableIPv4 : families.enableIPv6));
  for (const bits of [32, 128]) {
    if (driver === 'bridge' && entries.filter(({ prefix }) => prefix.bits === bits).length > 1) {
      throw new PermissionDenied("bridge driver doesn't support multiple subnets");
    }
  }
  const out: CompletedEntry[] = [];
  const taken = [...around.taken];
  for (const { config, prefix } of entries) {
    refuseOverlap(prefix, taken);
    taken.push({ prefix, owner: `network ${request.name}` });
    out.push({ config, configured: true, gateway: config.gateway || firstAddress(prefix, config) });
  }
  for (const [bits, wanted] of [
    [32, families.enableIPv4],
    [128, families.enableIPv6],
  ] as const) {
    if (!wanted || entries.some(({ prefix }) => prefix.bits === bits)) continue;
    const prefix = chooseSubnet(around.pools, bits, [...taken, ...around.routes()]);
    const gateway = firstAddress(prefix, {});
    taken.push({ prefix, owner: `network ${request.name}` });
    const entry = { config: { subnet: formatPrefix(prefix), gateway }, configured: false, gateway };
    if (bits === 32) out.unshift(entry);
    else out.push(entry);
  }
  return out;
}

/** The gateway when nobody named one: the first address that may be given out. */
function firstAddress(subnet: Prefix, config: IpamConfig): string {
  const range = config.ipRange ? parseCidr(config.ipRange) : undefined;
  const pool = new AddressPool(subnet, range === undefined ? subnet : prefixOf(range.value, range.bits, range.length));
  for (const address of Object.values(config.auxiliaryAddresses ?? {})) pool.reserve(address);
  return pool.allocate();
}
