// /etc/hosts and /etc/hostname of a container.

import { isIP } from 'node:net';
import { InvalidArgument } from '../../errdefs/index.ts';

/** A line of /etc/hosts: an address and its names. */
export interface HostsEntry {
  readonly address: string;
  readonly names: readonly string[];
}

const ipv4Entries: readonly HostsEntry[] = [{ address: '127.0.0.1', names: ['localhost'] }];
const ipv6Entries: readonly HostsEntry[] = [
  { address: '::1', names: ['localhost', 'ip6-localhost', 'ip6-loopback'] },
  { address: 'fe00::', names: ['ip6-localnet'] },
  { address: 'ff00::', names: ['ip6-mcastprefix'] },
  { address: 'ff02::1', names: ['ip6-allnodes'] },
  { address: 'ff02::2', names: ['ip6-allrouters'] },
];

export interface HostsFile {
  readonly hostname: string;
  readonly domainname?: string;
  /** The container's own addresses. */
  readonly addresses: readonly string[];
  /** `--add-host`, with host-gateway already replaced. */
  readonly extra?: readonly HostsEntry[];
  /** Links on the default bridge. */
  readonly links?: readonly HostsEntry[];
  /** IPv6 is switched off in the whole namespace. */
  readonly withoutIPv6?: boolean;
}

export function hostsFile(file: HostsFile): string {
  const { hostname, domainname = '' } = file;
  const own = domainname === '' ? [hostname] : [`${hostname}.${domainname}`, hostname];
  const entries = [
    ...ipv4Entries,
    ...(file.withoutIPv6 === true ? [] : ipv6Entries),
    ...(file.extra ?? []),
    ...(file.links ?? []),
    ...file.addresses.map(address => ({ address, names: own })),
  ];
  return entries.map(({ address, names }) => `${address}\t${names.join(' ')}\n`).join('');
}

/**
 * Reads `--add-host` values: `name:address` or `name=address`, the address in brackets or not, or `host-gateway`, which stands
 * for the addresses by which a container reaches the host.
 */
export function parseExtraHosts(values: readonly string[], hostGateway: readonly string[]): HostsEntry[] {
  return values.flatMap(value => {
    const match = /^([^:=]+)[:=](.+)$/.exec(value);
    const [name, address] = [match?.[1], match?.[2]?.replace(/^\[(.*)\]$/, '$1')];
    if (name === undefined || address === undefined) throw new InvalidArgument(`bad format for add-host: "${value}"`);
    if (address === 'host-gateway') {
      if (hostGateway.length === 0) {
        throw new InvalidArgument('unable to derive the IP value for host-gateway');
      }
      return hostGateway.map(gateway => ({ address: gateway, names: [name] }));
    }
    if (isIP(address) === 0) throw new InvalidArgument(`invalid IP address in add-host: "${address}"`);
    return [{ address, names: [name] }];
  });
}

export const hostnameFile = (hostname: string): string => `${hostname}\n`;
