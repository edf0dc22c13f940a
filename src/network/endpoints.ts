import { Internal } from '../errdefs/index.ts';
import type { ActiveNetwork } from './active-network.ts';
import type { Attachment, NetworkControllerOptions } from './controller.ts';
import type { NameService } from './dns/name-service.ts';
import type { Egress } from './egress/egress.ts';
import type { Endpoint, EndpointConfig, PortBindingRequest, PublishedPort, Sandbox } from './endpoint.ts';
import type { Firewall } from './firewall/firewall.ts';
import { InterfaceNumbers } from './names.ts';
import type { NetworkSet } from './network-set.ts';
import { newEndpoint } from './new-endpoint.ts';
import { gatewayEndpoint } from './plan.ts';
import type { PortTable } from './ports/port-table.ts';

export interface EndpointsParts {
  readonly options: NetworkControllerOptions;
  readonly networks: NetworkSet;
  readonly firewall: Firewall;
  readonly egress: Egress;
  readonly ports: PortTable;
  readonly names: NameService;
  readonly warn: (message: string) => void;
}

/** The endpoints of running containers: addresses, host ports, and their place in the table. */
export class Endpoints {
  readonly #parts: EndpointsParts;
  readonly #numbers = new InterfaceNumbers();

  constructor(parts: EndpointsParts) {
    this.#parts = parts;
  }

  /** An endpoint without host ports. */
  create(network: string, sandbox: Sandbox, config: EndpointConfig = {}): Endpoint {
    const endpoint = newEndpoint(this.#parts.networks.find(network), sandbox, config, this.#numbers);
    this.#parts.egress.addEndpoint(endpoint);
    return endpoint;
  }

  /** Endpoints on several networks, all or none; the ports go to the one with the default route. */
  async attach(
    sandbox: Sandbox,
    attachments: readonly Attachment[],
    ports: readonly PortBindingRequest[],
  ): Promise<Endpoint[]> {
    const done: Endpoint[] = [];
    try {
      for (const { network, config } of attachments) {
        const endpoints = [...(sandbox.endpoints ?? []), ...done];
        done.push(this.create(network, { ...sandbox, endpoints }, config));
      }
      return await this.publishOn(done, ports);
    } catch (err) {
      for (const endpoint of done) this.release(endpoint);
      throw err;
    }
  }

  /** Publishes ports on that of the endpoints which has the default route; all endpoints as they are then. */
  async publishOn(endpoints: readonly Endpoint[], ports: readonly PortBindingRequest[]): Promise<Endpoint[]> {
    const gateway = gatewayEndpoint(endpoints) ?? gatewayEndpoint(endpoints, 'ipv6');
    if (gateway === undefined || ports.length === 0) return [...endpoints];
    const published = await this.publish(gateway, ports);
    return endpoints.map(endpoint => (endpoint.id === published.id ? published : endpoint));
  }

  async publish(endpoint: Endpoint, requests: readonly PortBindingRequest[]): Promise<Endpoint> {
    const { ports, firewall, options } = this.#parts;
    const network = this.networkOf(endpoint);
    if (!network.driver.traits.publishes || network.record.internal) return endpoint;
    try {
      const hostIps = network.defaultHostIps(options.publishAddress ?? '');
      const open = openPorts(requests, hostIps, hostIp => network.isRouted(hostIp));
      const bound = requests.filter(({ hostIp }) => hostIp === '' || !network.isRouted(hostIp));
      const nat = hostIps.filter(hostIp => !network.isRouted(hostIp));
      const published = { ...endpoint, ports: [...(await ports.allocate(bound, targetOf(endpoint), nat)), ...open] };
      // Known before it is in force, so that a failure is undone by `release`.
      network.endpoints.set(endpoint.id, published);
      firewall.publish(network.firewallPorts(published));
      return published;
    } catch (err) {
      throw new Internal(
        `driver failed programming external connectivity on endpoint ${endpoint.containerName} (${endpoint.id}): ${(err as Error).message}`,
        { cause: err },
      );
    }
  }

  release(endpoint: Endpoint): void {
    const { networks, firewall, egress, ports, names } = this.#parts;
    const network = networks.byId(endpoint.networkId);
    const known = network?.endpoints.get(endpoint.id);
    if (network === undefined || known === undefined) return;
    network.endpoints.delete(endpoint.id);
    if (known.ports.length > 0) {
      firewall.unpublish(network.firewallPorts(known));
      ports.release(known.ports);
    }
    egress.removeEndpoint(known);
    network.pools.release(known);
    names.remove(known);
  }

  /** Takes back what a living container has, when the daemon comes back; not yet its ports. */
  adopt(endpoint: Endpoint): void {
    const network = this.#parts.networks.byId(endpoint.networkId);
    if (network === undefined) {
      this.#parts.warn(`container ${endpoint.containerName} is on the network ${endpoint.networkName}, which is gone`);
      return;
    }
    network.pools.adopt(endpoint);
    network.endpoints.set(endpoint.id, endpoint);
    this.#numbers.skip(endpoint.interfaceIndex);
    this.#numbers.skip(endpoint.hostInterfaceIndex);
  }

  async adoptPorts(endpoint: Endpoint): Promise<void> {
    for (const { port, error } of await this.#parts.ports.adopt(endpoint.ports, targetOf(endpoint))) {
      this.#parts.warn(
        `port ${port.hostIp}:${port.hostPort}/${port.protocol} of container ${endpoint.containerName} is held by somebody else too: ${error.message}`,
      );
    }
  }

  networkOf(endpoint: Endpoint): ActiveNetwork {
    return this.#parts.networks.find(endpoint.networkId);
  }
}

/** Ports of routed families, which are reached under the container's own address. */
const openPorts = (
  requests: readonly PortBindingRequest[],
  hostIps: readonly string[],
  isRouted: (hostIp: string) => boolean,
): PublishedPort[] =>
  requests.flatMap(({ containerPort, protocol, hostIp }) =>
    (hostIp === '' ? hostIps : [hostIp])
      .filter(isRouted)
      .map(address => ({ containerPort, protocol, hostIp: address, hostPort: 0 })),
  );

const targetOf = ({ ipv4, ipv6 }: Endpoint) => ({
  ...(ipv4 !== undefined && { ipv4: ipv4.address }),
  ...(ipv6 !== undefined && { ipv6: ipv6.address }),
});

/** Wishes for the very ports that an endpoint has. */
export const samePorts = (endpoint: Endpoint): PortBindingRequest[] =>
  endpoint.ports.map(({ containerPort, protocol, hostIp, hostPort }) => ({
    containerPort,
    protocol,
    hostIp,
    hostPortStart: hostPort,
    hostPortEnd: hostPort,
  }));
