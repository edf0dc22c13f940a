// A container's place on a network.

import type { ResolverOverrides } from './files/resolv-conf.ts';

/** What the creator of a container asks for on one network (EndpointSettings of the API). */
export interface EndpointConfig {
  readonly ipv4Address?: string;
  readonly ipv6Address?: string;
  readonly linkLocalAddresses?: readonly string[];
  readonly macAddress?: string;
  readonly aliases?: readonly string[];
  /** `container:alias`. */
  readonly links?: readonly string[];
  readonly driverOptions?: Readonly<Record<string, string>>;
  readonly gatewayPriority?: number;
}

export type PortProtocol = 'tcp' | 'udp' | 'sctp';

/** A wish for a host port. */
export interface PortBindingRequest {
  readonly containerPort: number;
  readonly protocol: PortProtocol;
  /** '' means the network's default address, and both families. */
  readonly hostIp: string;
  /** The first free of these; 0 to 0 lets the engine choose. */
  readonly hostPortStart: number;
  readonly hostPortEnd: number;
}

/** A host port that leads to a container. A wish for no certain address becomes two of these, one for each family. */
export interface PublishedPort {
  readonly containerPort: number;
  readonly protocol: PortProtocol;
  readonly hostIp: string;
  readonly hostPort: number;
}

export interface EndpointAddress {
  readonly address: string;
  readonly prefixLength: number;
  readonly gateway?: string;
}

/**
 * A container's place on a network, while it runs. Plain JSON: the daemon keeps it with the container and hands it back at
 * `restore`, so that a killed daemon loses nothing.
 */
export interface Endpoint {
  readonly id: string;
  readonly networkId: string;
  readonly networkName: string;
  readonly driver: string;
  readonly containerId: string;
  readonly containerName: string;
  /** Inside: `eth0`. */
  readonly interfaceName: string;
  /** Outside: `veth1a2b3c4`. */
  readonly hostInterfaceName: string;
  /**
   * The numbers of both ends of the veth; chosen by us, so that addresses and routes can be prepared before it exists. They
   * must differ: of a device that links to its own number Linux takes a change of carrier for nothing urgent, and the bridge
   * forwards up to a second late.
   */
  readonly interfaceIndex: number;
  readonly hostInterfaceIndex: number;
  /** The bridge, or the parent of a macvlan or ipvlan. */
  readonly parentIndex: number;
  readonly macAddress: string;
  readonly mtu: number;
  readonly ipv4?: EndpointAddress;
  readonly ipv6?: EndpointAddress;
  readonly gatewayPriority: number;
  /** Names that other containers of the network can use, the first one is the answer to a reverse look-up. */
  readonly dnsNames: readonly string[];
  readonly aliases: readonly string[];
  /** alias → container, known to this endpoint only. */
  readonly links: Readonly<Record<string, string>>;
  readonly ports: readonly PublishedPort[];
  readonly config: EndpointConfig;
  /** `--dns` and its like, of the whole container. */
  readonly resolver?: ResolverOverrides;
  /** Its own egress policy (`EgressPolicy` as text). */
  readonly egress?: string;
}

/** A container as the network sees it. */
export interface Sandbox {
  readonly containerId: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly hostname: string;
  /** `--dns`, `--dns-search`, `--dns-option`. */
  readonly resolver?: ResolverOverrides;
  /** Egress policy of this container alone, from its label `berth.egress`. */
  readonly egress?: string;
  /** The endpoints it has already. */
  readonly endpoints?: readonly Endpoint[];
}
