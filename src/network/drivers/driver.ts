// What differs between kinds of networks.

import type { NamespaceRef, NetlinkMessage } from '../../netlink/index.ts';
import type { Endpoint } from '../endpoint.ts';
import type { FirewallBridge } from '../firewall/elements.ts';
import type { NetworkRecord } from '../network.ts';

/** What a network is on this machine, once it is up. */
export interface HostSide {
  /** The device that endpoints hang on: a bridge, or the parent of macvlan and ipvlan; 0 for none. */
  readonly parentIndex: number;
  readonly mtu: number;
  /** For the firewall, where it has anything to do with it. */
  readonly bridge?: FirewallBridge;
}

/** How containers see a network of this kind. */
export interface DriverTraits {
  /** Endpoints have addresses of the network, and a device. */
  readonly addressed: boolean;
  /** Host ports can be published. */
  readonly publishes: boolean;
}

export interface Driver {
  readonly name: string;
  readonly traits: DriverTraits;
  /** Refuses options that cannot be; `others` are the networks there are. */
  check(record: NetworkRecord, others: readonly NetworkRecord[]): void;
  /** Makes what the network needs on this machine, or sets right what is there. Any number of times. */
  up(record: NetworkRecord): HostSide;
  down(record: NetworkRecord): Promise<void>;
  /** Name of the first interface without its number. */
  interfacePrefix(record: NetworkRecord): string;
  /** Messages, sent in the host's namespace, that make the endpoint's device in the container's. */
  createDevice(endpoint: Endpoint, record: NetworkRecord, namespace: NamespaceRef): NetlinkMessage[];
}
