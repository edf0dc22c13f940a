// Making an endpoint: everything but its host ports.

import { InvalidArgument, PermissionDenied } from '../errdefs/index.ts';
import { encodeHardwareAddress } from '../netlink/index.ts';
import type { ActiveNetwork } from './active-network.ts';
import { parseEgressPolicy } from './egress/policy.ts';
import type { Endpoint, EndpointConfig, Sandbox } from './endpoint.ts';
import { hardwareAddressOf, type InterfaceNumbers, newId, newVethName } from './names.ts';
import { option, predefinedNetworks } from './network.ts';
import { interfaceSysctls } from './plan.ts';

/** Refuses a configuration that cannot be, in Docker's words. */
export function checkEndpointConfig(network: ActiveNetwork, config: EndpointConfig): void {
  const problems: string[] = [];
  const { record } = network;
  const predefined = predefinedNetworks.has(record.name);
  if (predefined && (config.ipv4Address || config.ipv6Address)) {
    problems.push('user specified IP address is supported on user defined networks only');
  }
  if (predefined && (config.aliases?.length ?? 0) > 0) {
    problems.push('network-scoped alias is supported only for containers in user defined networks');
  }
  problems.push(...network.pools.check(config));
  if (record.configOnly)
    throw new PermissionDenied(`cannot attach to network ${record.name}: it is a configuration network`);
  interfaceSysctls(config.driverOptions ?? {}, 'eth0');
  if (config.macAddress) encodeHardwareAddress(config.macAddress);
  if (problems.length === 0) return;
  const list = problems.length === 1 ? problems[0] : problems.map(problem => `* ${problem}`).join('\n');
  throw new InvalidArgument(`invalid endpoint settings:\n${list}`);
}

/** `eth0`, or the next number that the container does not have yet. */
function interfaceName(network: ActiveNetwork, config: EndpointConfig, existing: readonly Endpoint[]): string {
  const taken = new Set(existing.map(endpoint => endpoint.interfaceName));
  const wanted = config.driverOptions?.[option.endpointInterface];
  if (wanted !== undefined && wanted !== '') {
    if (wanted.length > 15 || /[/\s]/.test(wanted)) throw new InvalidArgument(`invalid interface name: ${wanted}`);
    if (taken.has(wanted)) throw new InvalidArgument(`interface name ${wanted} is in use already`);
    return wanted;
  }
  const prefix = network.driver.interfacePrefix(network.record);
  for (let i = 0; ; i++) if (!taken.has(`${prefix}${i}`)) return `${prefix}${i}`;
}

/** Allocates addresses and names for a new endpoint and puts it on its network. */
export function newEndpoint(
  network: ActiveNetwork,
  sandbox: Sandbox,
  config: EndpointConfig,
  numbers: InterfaceNumbers,
): Endpoint {
  const { record, hostSide, driver } = network;
  checkEndpointConfig(network, config);
  if ([...network.endpoints.values()].some(endpoint => endpoint.containerId === sandbox.containerId)) {
    throw new PermissionDenied(`endpoint with name ${sandbox.name} already exists in network ${record.name}`);
  }
  const { addressed } = driver.traits;
  const name = addressed ? interfaceName(network, config, sandbox.endpoints ?? []) : '';
  const assigned = addressed ? network.pools.assign(config) : {};
  const aliases = config.aliases ?? [];
  const endpoint: Endpoint = {
    id: newId(),
    networkId: record.id,
    networkName: record.name,
    driver: record.driver,
    containerId: sandbox.containerId,
    containerName: sandbox.name,
    interfaceName: name,
    hostInterfaceName: record.driver === 'bridge' ? newVethName() : '',
    interfaceIndex: addressed ? numbers.take() : 0,
    hostInterfaceIndex: record.driver === 'bridge' ? numbers.take() : 0,
    parentIndex: hostSide.parentIndex,
    macAddress: addressed ? config.macAddress?.toLowerCase() || hardwareAddressOf(assigned.ipv4?.address) : '',
    mtu: hostSide.mtu,
    ...(record.internal ? withoutGateway(assigned) : assigned),
    gatewayPriority: config.gatewayPriority ?? 0,
    dnsNames: predefinedNetworks.has(record.name) ? [] : dnsNames(sandbox, aliases),
    aliases,
    links: Object.fromEntries((config.links ?? []).map(link => parseLink(link))),
    ports: [],
    config,
    ...(parseEgressPolicy(sandbox.egress) !== undefined && addressed && { egress: sandbox.egress ?? '' }),
    ...(sandbox.resolver !== undefined && { resolver: sandbox.resolver }),
  };
  network.endpoints.set(endpoint.id, endpoint);
  return endpoint;
}

/** An internal network has a gateway address, but leads nowhere. */
function withoutGateway(assigned: Pick<Endpoint, 'ipv4' | 'ipv6'>): Pick<Endpoint, 'ipv4' | 'ipv6'> {
  const strip = ({ address, prefixLength }: NonNullable<Endpoint['ipv4']>) => ({ address, prefixLength });
  return {
    ...(assigned.ipv4 !== undefined && { ipv4: strip(assigned.ipv4) }),
    ...(assigned.ipv6 !== undefined && { ipv6: strip(assigned.ipv6) }),
  };
}

/** Container name, aliases, short id, hostname: the order is that of Docker, and the first answers a reverse look-up. */
const dnsNames = (sandbox: Sandbox, aliases: readonly string[]): string[] => [
  ...new Set(
    [sandbox.name, ...aliases, sandbox.containerId.slice(0, 12), sandbox.hostname].filter(name => name !== ''),
  ),
];

/** `container:alias`, or only `container`. */
function parseLink(link: string): [string, string] {
  const [container = '', alias = container] = link.split(':');
  return [alias, container];
}
