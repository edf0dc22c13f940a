// network: what containers of one machine have of it. `NetworkController` is the contract, `LocalNetworkController` keeps it.

export type { Attachment, NetworkController, NetworkControllerOptions } from './controller.ts';
export type { Denial } from './egress/egress.ts';
export type {
  Endpoint,
  EndpointAddress,
  EndpointConfig,
  PortBindingRequest,
  PortProtocol,
  PublishedPort,
  Sandbox,
} from './endpoint.ts';
export { type HostsEntry, type HostsFile, hostnameFile, hostsFile, parseExtraHosts } from './files/hosts.ts';
export {
  bridgeResolvConf,
  hostModeResolvConf,
  internalResolvConf,
  type ResolverConfig,
  type ResolverOverrides,
  readHostResolvConf,
} from './files/resolv-conf.ts';
export { type AddressPoolConfig, defaultAddressPools } from './ipam/subnets.ts';
export { LocalNetworkController } from './local-controller.ts';
export {
  type CreateNetworkOptions,
  type Ipam,
  type IpamConfig,
  MemoryNetworkStore,
  type NetworkRecord,
  type NetworkStore,
} from './network.ts';
export type { HostMessages, NetnsPlan, PlannedSysctl } from './plan.ts';
export { gatewayEndpoint } from './plan.ts';
export { type ApiPortMap, formatPortMap, parsePort, parsePortBindings } from './ports/port-bindings.ts';
