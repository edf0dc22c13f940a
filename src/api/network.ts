// Networks and a container's endpoints on them.

import { bool, type Decoded, dict, int, list, nullable, optional, struct, text } from './decode.ts';

export const endpointIpamShape = struct('network.EndpointIPAMConfig', {
  IPv4Address: optional(text()),
  IPv6Address: optional(text()),
  LinkLocalIPs: optional(list(text())),
});
export type EndpointIpamConfig = Decoded<typeof endpointIpamShape>;

/** Fields in the order in which Docker prints them. */
export const endpointSettingsShape = struct('network.EndpointSettings', {
  IPAMConfig: nullable(endpointIpamShape),
  Links: list(text()),
  Aliases: list(text()),
  MacAddress: text(),
  DriverOpts: dict(text()),
  GwPriority: int('int'),
  NetworkID: text(),
  EndpointID: text(),
  Gateway: text(),
  IPAddress: text(),
  IPPrefixLen: int('int'),
  IPv6Gateway: text(),
  GlobalIPv6Address: text(),
  GlobalIPv6PrefixLen: int('int'),
  DNSNames: list(text()),
});
export type EndpointSettings = Decoded<typeof endpointSettingsShape>;

export const ipamConfigShape = struct('network.IPAMConfig', {
  Subnet: optional(text()),
  IPRange: optional(text()),
  Gateway: optional(text()),
  AuxiliaryAddresses: optional(dict(text())),
  /** The key's older name in requests. */
  AuxAddress: optional(dict(text())),
});
export type IpamConfig = Decoded<typeof ipamConfigShape>;

export const ipamShape = struct('network.IPAM', {
  Driver: text(),
  Options: dict(text()),
  Config: list(ipamConfigShape),
});
export type Ipam = Decoded<typeof ipamShape>;

/** The body of POST /networks/create. */
export const networkCreateShape = struct('network.CreateRequest', {
  Name: text(),
  CheckDuplicate: optional(bool()),
  Driver: text(),
  Scope: text(),
  EnableIPv4: optional(bool()),
  EnableIPv6: optional(bool()),
  IPAM: optional(ipamShape),
  Internal: bool(),
  Attachable: bool(),
  Ingress: bool(),
  ConfigOnly: bool(),
  ConfigFrom: optional(struct('network.ConfigReference', { Network: text() })),
  Options: dict(text()),
  Labels: dict(text()),
});
export type NetworkCreateRequest = Decoded<typeof networkCreateShape>;

export interface NetworkCreateResponse {
  readonly Id: string;
  readonly Warning: string;
}

export const networkConnectShape = struct('network.ConnectOptions', {
  Container: text(),
  EndpointConfig: optional(endpointSettingsShape),
});
export type NetworkConnectRequest = Decoded<typeof networkConnectShape>;

export const networkDisconnectShape = struct('network.DisconnectOptions', { Container: text(), Force: bool() });
export type NetworkDisconnectRequest = Decoded<typeof networkDisconnectShape>;

/** A container as the inspection of a network lists it; addresses with prefix length. */
export interface NetworkEndpoint {
  readonly Name: string;
  readonly EndpointID: string;
  readonly MacAddress: string;
  readonly IPv4Address: string;
  readonly IPv6Address: string;
}

export interface NetworkInspect {
  readonly Name: string;
  readonly Id: string;
  readonly Created: string;
  readonly Scope: string;
  readonly Driver: string;
  readonly EnableIPv4: boolean;
  readonly EnableIPv6: boolean;
  readonly IPAM: Ipam;
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly Ingress: boolean;
  readonly ConfigFrom: { readonly Network: string };
  readonly ConfigOnly: boolean;
  /** Empty in the list; by container id in the inspection. */
  readonly Containers: Readonly<Record<string, NetworkEndpoint>>;
  readonly Options: Readonly<Record<string, string>> | null;
  readonly Labels: Readonly<Record<string, string>> | null;
}

export interface NetworksPruneReport {
  readonly NetworksDeleted: readonly string[] | null;
}
