// --network, with its older companions --network-alias, --ip, --link.

import type { Flags } from '../command/flags.ts';
import { splitCommas } from '../command/flags.ts';

interface NetworkOptions {
  readonly target: string;
  aliases: string[];
  links: readonly string[];
  ipv4: string;
  ipv6: string;
  linkLocal: readonly string[];
  mac: string;
  driverOptions: Record<string, string> | null;
  gatewayPriority: number;
}

const blank = (target: string): NetworkOptions => ({
  target,
  aliases: [],
  links: [],
  ipv4: '',
  ipv6: '',
  linkLocal: [],
  mac: '',
  driverOptions: null,
  gatewayPriority: 0,
});

function parseNetwork(text: string): NetworkOptions {
  if (!text.includes('=')) return blank(text);
  let options: NetworkOptions = blank('');
  for (const field of splitCommas(text)) {
    const [name = '', value = ''] = field.split(/=(.*)/s);
    if (!field.includes('=')) throw new Error(`invalid field ${field}`);
    const key = name.trim().toLowerCase();
    if (key === 'name') options = { ...options, target: value };
    else if (key === 'alias') options.aliases.push(value);
    else if (key === 'ip') options.ipv4 = value;
    else if (key === 'ip6') options.ipv6 = value;
    else if (key === 'mac-address') options.mac = value;
    else if (key === 'link-local-ip') options.linkLocal = [...options.linkLocal, value];
    else if (key === 'driver-opt') {
      const [option = '', setting] = value.split(/=(.*)/s);
      if (setting === undefined) throw new Error(`invalid key value pair format in driver options`);
      options.driverOptions = { ...options.driverOptions, [option.toLowerCase()]: setting.toLowerCase() };
    } else if (key === 'gw-priority') {
      if (!/^-?[0-9]+$/.test(value))
        throw new Error(`invalid gw-priority: strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`);
      options.gatewayPriority = Number(value);
    } else throw new Error(`invalid field key ${key}`);
  }
  if (options.target === '') throw new Error('network name/id is not specified');
  return options;
}

const isUserDefined = (name: string): boolean => !/^(default|bridge|host|none|container:.*)$/.test(name);
/** host, none and another container's network have no endpoint of the container's own. */
const hasEndpoint = (name: string): boolean => !/^(host|none|container:.*)$/.test(name);

export interface NetworkChoice {
  readonly mode: string;
  readonly endpoints: Readonly<Record<string, object>>;
}

/** What `run` and `create` send for their network flags; throws Errors in Docker's words. */
export function readNetworks(flags: Flags): NetworkChoice {
  const values = [...flags.list('network'), ...flags.list('net')];
  const networks = values.length === 0 ? [blank('default')] : values.map(parseNetwork);
  const first = networks[0]!;
  applyContainerOptions(first, flags);
  const endpoints: Record<string, object> = {};
  for (const [i, network] of networks.entries()) {
    if (networks.length > 1 && !hasEndpoint(network.target)) {
      throw new Error('conflicting options: cannot attach both user-defined and non-user-defined network-modes');
    }
    if (Object.hasOwn(endpoints, network.target))
      throw new Error(`network ${JSON.stringify(network.target)} is specified multiple times`);
    if (i > 0 && network.target === '') throw new Error('no name set for network');
    if (hasEndpoint(network.target)) endpoints[network.target] = endpoint(network);
  }
  return { mode: first.target, endpoints };
}

function applyContainerOptions(network: NetworkOptions, flags: Flags): void {
  const aliases = [...flags.list('network-alias'), ...flags.list('net-alias')];
  const conflict = (what: string): Error =>
    new Error(
      `conflicting options: cannot specify both --${what} and per-network ${what === 'network-alias' ? 'alias' : what}`,
    );
  if (network.aliases.length > 0 && aliases.length > 0) throw conflict('network-alias');
  if (network.links.length > 0 && flags.list('link').length > 0) throw conflict('link');
  if (network.ipv4 !== '' && flags.string('ip') !== '') throw conflict('ip');
  if (network.ipv6 !== '' && flags.string('ip6') !== '') throw conflict('ip6');
  network.aliases.push(...aliases);
  // Links of the default network are the host configuration's; of others, the endpoint's too.
  if (isUserDefined(network.target)) network.links = flags.list('link');
  network.ipv4 ||= flags.string('ip');
  network.ipv6 ||= flags.string('ip6');
  network.mac ||= flags.string('mac-address');
  if (network.linkLocal.length === 0) network.linkLocal = flags.list('link-local-ip');
}

function endpoint(network: NetworkOptions): object {
  const ipam = {
    ...(network.ipv4 !== '' && { IPv4Address: network.ipv4 }),
    ...(network.ipv6 !== '' && { IPv6Address: network.ipv6 }),
    ...(network.linkLocal.length > 0 && { LinkLocalIPs: network.linkLocal }),
  };
  return {
    IPAMConfig: Object.keys(ipam).length === 0 ? null : ipam,
    Links: network.links.length === 0 ? null : network.links,
    Aliases: network.aliases.length === 0 ? null : network.aliases,
    MacAddress: network.mac,
    DriverOpts: network.driverOptions,
    GwPriority: network.gatewayPriority,
    NetworkID: '',
    EndpointID: '',
    Gateway: '',
    IPAddress: '',
    IPPrefixLen: 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: null,
  };
}
