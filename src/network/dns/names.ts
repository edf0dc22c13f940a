// Which names a container can use, and what they mean.

import type { Endpoint } from '../endpoint.ts';

/** The endpoints of a network. */
export type EndpointsOf = (networkId: string) => readonly Endpoint[];

/** `addresses` may lack those of a family; `undefined` as a whole: nobody here has that name. */
export interface FoundName {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/**
 * Looks a name up for the container with these endpoints: network by network, own links first, then everybody of that network.
 * `name.network` means one of that network only. The first network that knows the name gives the whole answer.
 */
export function findName(name: string, own: readonly Endpoint[], endpointsOf: EndpointsOf): FoundName | undefined {
  for (const endpoint of own) {
    const found = onNetwork(name, endpoint, endpointsOf(endpoint.networkId));
    if (found.length > 0) {
      return {
        ipv4: found.flatMap(({ ipv4 }) => (ipv4 === undefined ? [] : [ipv4.address])),
        ipv6: found.flatMap(({ ipv6 }) => (ipv6 === undefined ? [] : [ipv6.address])),
      };
    }
  }
  return undefined;
}

function onNetwork(name: string, own: Endpoint, everybody: readonly Endpoint[]): Endpoint[] {
  const suffix = `.${own.networkName.toLowerCase()}`;
  const wanted = name.endsWith(suffix) ? [name, name.slice(0, -suffix.length)] : [name];
  for (const [alias, container] of Object.entries(own.links)) {
    if (!wanted.includes(alias.toLowerCase())) continue;
    const linked = everybody.filter(
      ({ containerName, containerId }) => containerName === container || containerId.startsWith(container),
    );
    if (linked.length > 0) return linked;
  }
  return everybody.filter(({ dnsNames }) => dnsNames.some(known => wanted.includes(known.toLowerCase())));
}

/** The name of an address: `container.network`. */
export function findAddress(address: string, own: readonly Endpoint[], endpointsOf: EndpointsOf): string | undefined {
  for (const { networkId } of own) {
    for (const { ipv4, ipv6, dnsNames, networkName } of endpointsOf(networkId)) {
      if ((ipv4?.address === address || ipv6?.address === address) && dnsNames[0] !== undefined) {
        return `${dnsNames[0]}.${networkName}`;
      }
    }
  }
  return undefined;
}
