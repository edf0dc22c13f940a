// /etc/hosts, /etc/hostname and /etc/resolv.conf of a container.

import { writeFileSync } from 'node:fs';
import {
  bridgeResolvConf,
  type Endpoint,
  hostModeResolvConf,
  hostnameFile,
  hostsFile,
  internalResolvConf,
  parseExtraHosts,
  type ResolverOverrides,
  readHostResolvConf,
} from '../../network/index.ts';
import type { Container } from './container.ts';
import { type ContainerPaths, containerPaths } from './paths.ts';
import type { ContainerServices } from './services.ts';

/** Writes the three files for this run. A container that joins another's network uses that one's. */
export function writeNetworkFiles(
  services: ContainerServices,
  container: Container,
  endpoints: readonly Endpoint[],
): void {
  const { config, hostConfig } = container.record;
  if (hostConfig.NetworkMode.startsWith('container:')) return;
  const paths = containerPaths(services.config.dataRoot, container.id);
  writeFileSync(paths.hostname, hostnameFile(config.Hostname));
  const resolver = readHostResolvConf();
  const overrides = resolverOverrides(services, container);
  const hostMode = hostConfig.NetworkMode === 'host';
  const withIPv6 = endpoints.some(endpoint => endpoint.ipv6 !== undefined);
  const userDefined = endpoints.some(endpoint => !['bridge', 'host', 'none'].includes(endpoint.networkName));
  writeFileSync(
    paths.resolvConf,
    hostMode || endpoints.length === 0 || hostConfig.NetworkMode === 'none'
      ? hostModeResolvConf(resolver, overrides)
      : userDefined
        ? internalResolvConf(resolver, overrides)
        : bridgeResolvConf(resolver, overrides, withIPv6),
  );
  const addresses = endpoints
    .flatMap(({ ipv4, ipv6 }) => [ipv4?.address, ipv6?.address])
    .filter(address => address !== undefined);
  writeFileSync(
    paths.hosts,
    hostsFile({
      hostname: config.Hostname,
      domainname: config.Domainname,
      addresses,
      extra: parseExtraHosts(hostConfig.ExtraHosts ?? [], services.networks.hostGateways()),
      links: linkEntries(services, container),
    }),
  );
}

/** `--dns` and its like, the daemon's where the container has none. */
export function resolverOverrides(services: ContainerServices, container: Container): ResolverOverrides {
  const { hostConfig } = container.record;
  return {
    nameservers: listOr(hostConfig.Dns, services.config.dns),
    search: listOr(hostConfig.DnsSearch, services.config.dnsSearch),
    options: listOr(hostConfig.DnsOptions, services.config.dnsOptions),
  };
}

const listOr = (own: readonly string[] | null, otherwise: readonly string[]): readonly string[] =>
  own !== null && own.length > 0 ? own : otherwise;

/** `--link other:alias` on the default bridge: the other's address by alias, name and host name. */
function linkEntries(services: ContainerServices, container: Container): { address: string; names: string[] }[] {
  const entries: { address: string; names: string[] }[] = [];
  if (container.record.hostConfig.NetworkMode !== 'bridge') return entries;
  for (const link of container.record.hostConfig.Links ?? []) {
    const [name = '', alias = name] = link.split(':');
    const other = services.store.lookUp(name);
    const address = other?.record.networks.bridge?.IPAddress ?? '';
    if (other === undefined || address === '') continue;
    const names = [...new Set([alias.replace(/^.*\//, ''), other.record.config.Hostname, other.record.name])];
    entries.push({ address, names });
  }
  return entries;
}

/** Where the three files are that a container has mounted: its own, or those of the container whose network it shares. */
export function networkFilesOf(
  services: ContainerServices,
  container: Container,
): Pick<ContainerPaths, 'hosts' | 'hostname' | 'resolvConf'> {
  const joined = /^container:(.+)$/.exec(container.record.hostConfig.NetworkMode)?.[1];
  const owner = joined === undefined ? container.id : services.store.find(joined).id;
  return containerPaths(services.config.dataRoot, owner);
}
