import { isIPv4 } from 'node:net';
import { bridgeOptions } from './drivers/bridge-options.ts';
import type { Driver, HostSide } from './drivers/driver.ts';
import type { Endpoint } from './endpoint.ts';
import type { FirewallPort } from './firewall/elements.ts';
import { NetworkPools } from './ipam/network-pools.ts';
import type { NetworkRecord } from './network.ts';

/** A network as it runs: its record, who has which address, its device. */
export class ActiveNetwork {
  readonly record: NetworkRecord;
  readonly driver: Driver;
  readonly pools: NetworkPools;
  readonly endpoints = new Map<string, Endpoint>();
  hostSide: HostSide = { parentIndex: 0, mtu: 0 };

  constructor(record: NetworkRecord, driver: Driver) {
    this.record = record;
    this.driver = driver;
    this.pools = new NetworkPools(record);
  }

  /** Host addresses for a binding that names none. */
  defaultHostIps(publishAddress: string): string[] {
    const own = this.driver.name === 'bridge' ? bridgeOptions(this.record, { mtu: 0 }).hostBinding : undefined;
    const address = own ?? publishAddress;
    return address === '' || address === '0.0.0.0' ? ['0.0.0.0', '::'] : [address];
  }

  /** Host addresses of families that are routed: their ports are opened in the firewall, and no port of the host is taken. */
  isRouted(hostIp: string): boolean {
    const options = bridgeOptions(this.record, { mtu: 0 });
    return (isIPv4(hostIp) ? options.gatewayMode4 : options.gatewayMode6) === 'routed';
  }

  /** What the kernel has to do for the published ports of an endpoint; the rest is left to the proxy. */
  firewallPorts(endpoint: Endpoint): FirewallPort[] {
    const options = bridgeOptions(this.record, { mtu: 0 });
    return endpoint.ports.flatMap(port => {
      const version = isIPv4(port.hostIp) ? 'ipv4' : 'ipv6';
      const target = endpoint[version]?.address;
      if (target === undefined) return [];
      const mode = version === 'ipv4' ? options.gatewayMode4 : options.gatewayMode6;
      return [{ ...port, target, routed: mode === 'routed' }];
    });
  }
}
