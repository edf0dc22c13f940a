// The contract of this part: what the daemon and the task service see of it.

import type { Denial } from './egress/egress.ts';
import type { Endpoint, EndpointConfig, PortBindingRequest, Sandbox } from './endpoint.ts';
import type { AddressPoolConfig } from './ipam/subnets.ts';
import type { CreateNetworkOptions, NetworkRecord, NetworkStore } from './network.ts';
import type { NetnsPlan } from './plan.ts';
import type { ReservePort } from './ports/reservation.ts';

/** How a network controller is set up: the network flags of the daemon. */
export interface NetworkControllerOptions {
  readonly store: NetworkStore;
  /** Device of the default network `bridge`; 'none' for no default network. The table is named after it. */
  readonly bridge: string;
  /** Address of that device with its prefix: `172.17.0.1/20`. */
  readonly bip?: string;
  readonly bip6?: string;
  /** The part of its subnet that containers get addresses from. */
  readonly fixedCidr?: string;
  readonly mtu?: number;
  readonly icc?: boolean;
  readonly ipMasquerade?: boolean;
  /** The default network has IPv6 too. */
  readonly ipv6?: boolean;
  /** Address that ports are published on when a binding names none; '' or 0.0.0.0 for all, 127.0.0.1 for a quiet machine. */
  readonly publishAddress?: string;
  readonly defaultAddressPools?: readonly AddressPoolConfig[];
  /** Turns on forwarding in the kernel (default true). */
  readonly ipForward?: boolean;
  /** Anything that is always the same for this engine: its IPv6 subnets are derived from it. */
  readonly engineId: string;
  /** nf_tables table; default `berth-` and the bridge's name. */
  readonly table?: string;
  /** False: the table is not kept from others (default true; needs Linux 6.9). */
  readonly ownTable?: boolean;
  readonly reservePort?: ReservePort;
  /** Told of everything that an egress policy kept inside. */
  readonly onDenied?: (denial: Denial) => void;
  /** Told once each, for people: what is not as it should be and could not be set right. */
  readonly warn?: (message: string) => void;
}

/** A network to connect to, and how. */
export interface Attachment {
  /** Name, id or the beginning of one. */
  readonly network: string;
  readonly config?: EndpointConfig;
}

/**
 * Networks and what containers have on them.
 *
 * A container's way: `attach` (or `connect` for each network) allocates its addresses and host ports and puts the ports in force;
 * `plan` says, as bytes, what the launcher has to send to make the devices; `release` takes back addresses and ports when the
 * container has ended. The devices go with the container's namespace, so that nobody waits for the kernel to remove them.
 *
 * Endpoints are plain JSON. The daemon keeps them with the container and hands the living ones to `restore`.
 */
export interface NetworkController {
  /** Reads the networks, makes the predefined ones and all bridges, takes back what living containers have, and puts the table in force. Once, before anything else. */
  restore(living: readonly Endpoint[], pidOf?: (containerId: string) => number | undefined): Promise<void>;

  createNetwork(options: CreateNetworkOptions): Promise<NetworkRecord>;
  /** PermissionDenied for a predefined network and for one with endpoints, in Docker's words. */
  removeNetwork(ref: string): Promise<void>;
  /** Removes the networks without endpoints that the filter takes; their names. */
  pruneNetworks(filter?: (network: NetworkRecord) => boolean): Promise<string[]>;
  listNetworks(): readonly NetworkRecord[];
  /** By id, name, or the beginning of an id; NotFound, or InvalidArgument when several are meant. */
  getNetwork(ref: string): NetworkRecord;
  /** The endpoints of running containers on it. */
  endpointsOf(networkId: string): readonly Endpoint[];

  /** Refuses what `connect` would refuse, without doing anything: for `docker create`. */
  checkAttachment(attachment: Attachment): void;
  /** Connects a container that has no namespace yet to networks, all or none. Ports go to the endpoint with the default route. */
  attach(
    sandbox: Sandbox,
    attachments: readonly Attachment[],
    ports: readonly PortBindingRequest[],
  ): Promise<Endpoint[]>;
  /** One endpoint: addresses, host ports, firewall. Makes no device. */
  connect(
    sandbox: Sandbox,
    network: string,
    config?: EndpointConfig,
    ports?: readonly PortBindingRequest[],
  ): Promise<Endpoint>;
  /** What to send to make the devices of a new namespace; for the network `host` there is nothing. */
  plan(endpoints: readonly Endpoint[]): NetnsPlan;
  /**
   * To be called when the plan has been carried out and before the container's program starts. Linux brings the host's ends of
   * the devices into service in a worker of its own; until that has run, a program's first packets are lost and tried again a
   * second later. Asking for such a device makes it do that work at once (Linux 6.8). About 0.03 ms.
   *
   * With `pid`, the container's init, its name service begins: on user-defined networks names need it.
   */
  settle(endpoints: readonly Endpoint[], pid?: number): void;
  /** Takes back what `connect` gave. The device goes with the namespace. */
  release(endpoint: Endpoint): Promise<void>;

  /** Connects a running container: `pid` is its init. The other endpoints are needed to choose the default route; ports move when that changes. Gives all endpoints as they are now. */
  connectRunning(
    sandbox: Sandbox & { readonly endpoints: readonly Endpoint[] },
    pid: number,
    attachment: Attachment,
  ): Promise<Endpoint[]>;
  /** Removes the device from a running container and releases the endpoint; the endpoints that are left. */
  disconnectRunning(
    sandbox: Sandbox & { readonly endpoints: readonly Endpoint[] },
    pid: number,
    network: string,
  ): Promise<Endpoint[]>;

  /** What people should know before these ports are published, for `docker create`: a firewall of the host that will not see them. */
  publishWarnings(requests: readonly PortBindingRequest[]): string[];
  /** What egress policies have kept inside lately, of one network or all. */
  denials(networkId?: string): readonly Denial[];
  /** Addresses by which containers of the default network reach this machine (`host-gateway`). */
  hostGateways(): readonly string[];
  /** Looks whether everything is still in force, and sets it right; what it found, in words. */
  heal(): Promise<string[]>;
  /** Lets go of sockets and ports; the kernel goes on forwarding. */
  close(): void;
  /** `close`, and removes table and bridges: for an engine that leaves for good. */
  destroy(): Promise<void>;
}
