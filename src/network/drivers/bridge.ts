import { PermissionDenied } from '../../errdefs/index.ts';
import { createLink, type NamespaceRef, type NetlinkMessage, setBridgePort } from '../../netlink/index.ts';
import { parseEgressPolicy } from '../egress/policy.ts';
import type { Endpoint } from '../endpoint.ts';
import type { FirewallBridge } from '../firewall/elements.ts';
import { parsePrefix } from '../ipam/prefix.ts';
import type { Kernel } from '../kernel.ts';
import { hardwareAddressOf } from '../names.ts';
import { type NetworkRecord, option } from '../network.ts';
import { type BridgeOptions, bridgeOptions } from './bridge-options.ts';
import type { Driver, HostSide } from './driver.ts';

/** Bridge networks: a bridge of the kernel for each, and a veth pair for each endpoint. */
export class BridgeDriver implements Driver {
  readonly name = 'bridge';
  readonly traits = { addressed: true, publishes: true };
  readonly #kernel: Kernel;
  readonly #defaults: { mtu: number };

  constructor(kernel: Kernel, defaults: { mtu: number }) {
    this.#kernel = kernel;
    this.#defaults = defaults;
  }

  options(record: NetworkRecord): BridgeOptions {
    return bridgeOptions(record, this.#defaults);
  }

  check(record: NetworkRecord, others: readonly NetworkRecord[]): void {
    const { bridgeName } = this.options(record);
    const same = others.find(other => other.driver === this.name && this.options(other).bridgeName === bridgeName);
    if (same !== undefined) {
      throw new PermissionDenied(
        `cannot create network ${record.id} (${bridgeName}): conflicts with network ${same.id} (${bridgeName}): networks have same bridge name`,
      );
    }
  }

  up(record: NetworkRecord): HostSide {
    const options = this.options(record);
    const gateways = record.ipam.config.flatMap((config, i) => {
      const gateway = record.gateways[i] ?? '';
      const isolated = gateway.includes(':')
        ? options.gatewayMode6 === 'isolated'
        : options.gatewayMode4 === 'isolated';
      if (gateway === '' || isolated || (options.inhibit4 && !gateway.includes(':'))) return [];
      return [`${gateway}/${config.subnet?.split('/')[1]}`];
    });
    const hardwareAddress = hardwareAddressOf(
      record.gateways.find(gateway => gateway !== '' && !gateway.includes(':')),
    );
    const { bridgeName: name, mtu } = options;
    // Before it has addresses: an IPv6 address would be announced and checked otherwise.
    const index = this.#kernel.ensureBridge({ name, mtu, hardwareAddress }, gateways);
    this.#sysctls(record, name);
    return { parentIndex: index, mtu, bridge: firewallBridge(index, record, options) };
  }

  #sysctls(record: NetworkRecord, name: string): void {
    // What 127.0.0.1 sends to a published port comes back by this device for an address that is not its own.
    this.#kernel.sysctl(`ipv4/conf/${name}/route_localnet`, '1');
    if (record.enableIPv6) {
      this.#kernel.sysctl(`ipv6/conf/${name}/disable_ipv6`, '0');
      this.#kernel.sysctl(`ipv6/conf/${name}/accept_ra`, '0');
      // Nobody else has our addresses. While Linux makes sure of that, it asks for no neighbour: a second lost at first use.
      this.#kernel.sysctl(`ipv6/conf/${name}/accept_dad`, '0');
    }
  }

  down(record: NetworkRecord): Promise<void> {
    return this.#kernel.removeBridge(this.options(record).bridgeName);
  }

  interfacePrefix(record: NetworkRecord): string {
    return this.options(record).interfacePrefix;
  }

  createDevice(endpoint: Endpoint, record: NetworkRecord, namespace: NamespaceRef): NetlinkMessage[] {
    // The peer must not be set up from here: the kernel answers ENOTCONN, for it has no other half yet.
    const peer = {
      name: endpoint.interfaceName,
      index: endpoint.interfaceIndex,
      hardwareAddress: endpoint.macAddress,
      mtu: endpoint.mtu,
      namespace,
    };
    const host = {
      name: endpoint.hostInterfaceName,
      index: endpoint.hostInterfaceIndex,
      mtu: endpoint.mtu,
      master: endpoint.parentIndex,
      up: true,
    };
    const veth = createLink(host, { kind: 'veth', peer });
    const port = {
      // Without communication between containers each port may talk to the bridge alone; no firewall sees such frames.
      ...(!this.options(record).icc && { isolated: true }),
      // Where bridged frames pass netfilter (net.bridge.bridge-nf-call-iptables) a container's call to its own published port
      // is turned around in the bridge, which sends nothing back where it came from unless told so.
      ...(endpoint.ports.length > 0 && { hairpin: true }),
    };
    return Object.keys(port).length === 0 ? [veth] : [veth, setBridgePort(endpoint.hostInterfaceIndex, port)];
  }
}

function firewallBridge(index: number, record: NetworkRecord, options: BridgeOptions): FirewallBridge {
  const { hostAddress4, hostAddress6 } = options;
  const nat = (mode: string) => options.masquerade && !record.internal && mode !== 'routed';
  return {
    index,
    name: options.bridgeName,
    internal: record.internal,
    subnets: record.ipam.config.flatMap(({ subnet }) => (subnet === undefined ? [] : [parsePrefix(subnet)])),
    masquerade4: record.enableIPv4 && nat(options.gatewayMode4) && hostAddress4 === undefined,
    masquerade6: record.enableIPv6 && nat(options.gatewayMode6) && hostAddress6 === undefined,
    ...(hostAddress4 !== undefined && nat(options.gatewayMode4) && { sourceAddress4: hostAddress4 }),
    ...(hostAddress6 !== undefined && nat(options.gatewayMode6) && { sourceAddress6: hostAddress6 }),
    restricted: parseEgressPolicy(record.options[option.egress]) !== undefined,
    unprotected: options.gatewayMode4 === 'nat-unprotected' || options.gatewayMode6 === 'nat-unprotected',
  };
}
