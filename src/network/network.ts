// The words of this part: what a network is, as it is kept.

export interface IpamConfig {
  readonly subnet?: string;
  readonly ipRange?: string;
  readonly gateway?: string;
  readonly auxiliaryAddresses?: Readonly<Record<string, string>>;
}

export interface Ipam {
  readonly driver: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly config: readonly IpamConfig[];
}

/** A network, as it is stored. All of it is decided at creation; nothing here changes afterwards. */
export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  /** RFC 3339 with nanoseconds. */
  readonly created: string;
  readonly scope: 'local';
  readonly driver: string;
  readonly enableIPv4: boolean;
  readonly enableIPv6: boolean;
  readonly ipam: Ipam;
  /** Per entry of `ipam.config`: the creator named the subnet himself, so that static addresses are allowed in it. */
  readonly subnetConfigured: readonly boolean[];
  /** Per entry of `ipam.config`: the gateway's address, '' where there is none. `ipam.config` shows one only if somebody named it. */
  readonly gateways: readonly string[];
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly ingress: boolean;
  readonly configOnly: boolean;
  readonly configFrom: string;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** What `docker network create` says. */
export interface CreateNetworkOptions {
  readonly name: string;
  readonly driver?: string;
  readonly enableIPv4?: boolean;
  readonly enableIPv6?: boolean;
  readonly ipam?: Partial<Ipam>;
  readonly internal?: boolean;
  readonly attachable?: boolean;
  readonly ingress?: boolean;
  readonly configOnly?: boolean;
  readonly configFrom?: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Where networks are kept. The daemon puts them into its database; each call is one committed change. */
export interface NetworkStore {
  load(): readonly NetworkRecord[];
  save(record: NetworkRecord): void;
  delete(id: string): void;
}

/** A store that forgets, for tests. */
export class MemoryNetworkStore implements NetworkStore {
  readonly #records = new Map<string, NetworkRecord>();

  load(): readonly NetworkRecord[] {
    return [...this.#records.values()];
  }

  save(record: NetworkRecord): void {
    this.#records.set(record.id, record);
  }

  delete(id: string): void {
    this.#records.delete(id);
  }
}

/** Names that exist from the start and stay. */
export const predefinedNetworks: ReadonlySet<string> = new Set(['bridge', 'host', 'none']);

/** Options of a network as Docker spells them. */
export const option = {
  bridgeName: 'com.docker.network.bridge.name',
  defaultBridge: 'com.docker.network.bridge.default_bridge',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  icc: 'com.docker.network.bridge.enable_icc',
  hostBinding: 'com.docker.network.bridge.host_binding_ipv4',
  gatewayMode4: 'com.docker.network.bridge.gateway_mode_ipv4',
  gatewayMode6: 'com.docker.network.bridge.gateway_mode_ipv6',
  inhibit4: 'com.docker.network.bridge.inhibit_ipv4',
  mtu: 'com.docker.network.driver.mtu',
  interfacePrefix: 'com.docker.network.container_iface_prefix',
  hostAddress4: 'com.docker.network.host_ipv4',
  hostAddress6: 'com.docker.network.host_ipv6',
  endpointInterface: 'com.docker.network.endpoint.ifname',
  endpointSysctls: 'com.docker.network.endpoint.sysctls',
  egress: 'berth.egress',
} as const;

/** An option that says yes or no, as Go's ParseBool reads it. */
export function booleanOption(
  options: Readonly<Record<string, string>>,
  name: string,
  otherwise: boolean,
): boolean | undefined {
  const value = options[name];
  if (value === undefined || value === '') return otherwise;
  if (/^(1|t|T|true|TRUE|True)$/.test(value)) return true;
  if (/^(0|f|F|false|FALSE|False)$/.test(value)) return false;
  return undefined;
}
