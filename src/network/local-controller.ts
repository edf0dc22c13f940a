import { PermissionDenied } from '../errdefs/index.ts';
import type { Attachment, NetworkController, NetworkControllerOptions } from './controller.ts';
import { NameService } from './dns/name-service.ts';
import { type Denial, Egress } from './egress/egress.ts';
import type { Endpoint, EndpointConfig, PortBindingRequest, Sandbox } from './endpoint.ts';
import { Endpoints, samePorts } from './endpoints.ts';
import { Firewall } from './firewall/firewall.ts';
import { Kernel } from './kernel.ts';
import { connectLive, disconnectLive } from './live.ts';
import { type CreateNetworkOptions, type NetworkRecord, predefinedNetworks } from './network.ts';
import { Networks } from './networks.ts';
import { checkEndpointConfig } from './new-endpoint.ts';
import { removeOrphans } from './orphans.ts';
import { loopbackPlan, type NetnsPlan, planNamespace } from './plan.ts';
import { PortTable } from './ports/port-table.ts';
import { reservePort } from './ports/reservation.ts';
import { heal, watchTables } from './watch.ts';

/** A container that runs, with all its endpoints. */
type RunningSandbox = Sandbox & { readonly endpoints: readonly Endpoint[] };

/** The networks of one engine on this machine. See `NetworkController` for what each method promises. */
export class LocalNetworkController implements NetworkController {
  readonly #options: NetworkControllerOptions;
  readonly #kernel = new Kernel();
  readonly #table: string;
  readonly #firewall: Firewall;
  readonly #ports: PortTable;
  readonly #networks: Networks;
  readonly #egress: Egress;
  readonly #names: NameService;
  readonly #endpoints: Endpoints;
  #watch: Disposable | undefined;

  constructor(options: NetworkControllerOptions) {
    this.#options = options;
    const warn = (message: string): void => options.warn?.(message);
    this.#table = options.table ?? `berth-${options.bridge}`;
    const firewall = new Firewall(this.#kernel.netfilter, this.#table, options.ownTable);
    const networks = new Networks({ options, kernel: this.#kernel, firewall, egress: () => this.#egress, warn });
    const egress = new Egress({
      firewall,
      networkOf: id => networks.byId(id)?.record,
      endpointAt: address => networks.endpointAt(address),
      denied: denial => options.onDenied?.(denial),
    });
    const names = new NameService({
      egress,
      endpointsOf: id => this.endpointsOf(id),
      isInternal: id => networks.byId(id)?.record.internal ?? false,
      warn,
    });
    const ports = new PortTable(options.reservePort ?? reservePort);
    this.#endpoints = new Endpoints({ options, networks, firewall, egress, ports, names, warn });
    this.#firewall = firewall;
    this.#networks = networks;
    this.#egress = egress;
    this.#names = names;
    this.#ports = ports;
  }

  async restore(living: readonly Endpoint[], pidOf?: (containerId: string) => number | undefined): Promise<void> {
    // 1. Records and devices.
    this.#networks.load();
    // 2. What living containers have.
    for (const endpoint of living) this.#endpoints.adopt(endpoint);
    // 3. The table, as a whole; then the ports' sockets, which nobody waits for.
    const networks = this.#networks.all();
    this.#firewall.reset(
      networks.flatMap(({ hostSide }) => (hostSide.bridge === undefined ? [] : [hostSide.bridge])),
      networks.flatMap(network => [...network.endpoints.values()].flatMap(endpoint => network.firewallPorts(endpoint))),
      this.#egress.allElements(networks),
    );
    for (const endpoint of living) await this.#endpoints.adoptPorts(endpoint);
    await removeOrphans(this.#kernel, this.#table);
    this.#networks.passOthers();
    this.#watch = watchTables(
      this.#firewall,
      () => void this.#look(),
      () => this.#egress.collect(),
    );
    // 4. Names.
    for (const [containerId, endpoints = []] of Map.groupBy(living, endpoint => endpoint.containerId)) {
      this.#names.set(containerId, endpoints, pidOf?.(containerId));
    }
  }

  async createNetwork(request: CreateNetworkOptions): Promise<NetworkRecord> {
    return this.#networks.create(request);
  }

  async removeNetwork(ref: string): Promise<void> {
    await this.#networks.remove(ref);
  }

  async pruneNetworks(filter: (network: NetworkRecord) => boolean = () => true): Promise<string[]> {
    const idle = this.#networks
      .all()
      .filter(
        ({ record, endpoints }) => !predefinedNetworks.has(record.name) && endpoints.size === 0 && filter(record),
      );
    await Promise.all(idle.map(({ record }) => this.#networks.remove(record.id)));
    return idle.map(({ record }) => record.name);
  }

  listNetworks(): readonly NetworkRecord[] {
    return this.#networks.records();
  }

  getNetwork(ref: string): NetworkRecord {
    return this.#networks.find(ref).record;
  }

  endpointsOf(networkId: string): readonly Endpoint[] {
    return [...(this.#networks.byId(networkId)?.endpoints.values() ?? [])];
  }

  checkAttachment({ network, config = {} }: Attachment): void {
    checkEndpointConfig(this.#networks.find(network), config);
  }

  attach(
    sandbox: Sandbox,
    attachments: readonly Attachment[],
    ports: readonly PortBindingRequest[],
  ): Promise<Endpoint[]> {
    return this.#endpoints.attach(sandbox, attachments, ports);
  }

  async connect(
    sandbox: Sandbox,
    network: string,
    config: EndpointConfig = {},
    ports: readonly PortBindingRequest[] = [],
  ): Promise<Endpoint> {
    const endpoint = this.#endpoints.create(network, sandbox, config);
    try {
      return ports.length === 0 ? endpoint : await this.#endpoints.publish(endpoint, ports);
    } catch (err) {
      this.#endpoints.release(endpoint);
      throw err;
    }
  }

  plan(endpoints: readonly Endpoint[]): NetnsPlan {
    if (endpoints.length === 0) return loopbackPlan();
    if (endpoints.some(endpoint => endpoint.driver === 'host')) return { host: [], sysctls: [], inside: [] };
    const devices = endpoints.filter(endpoint => endpoint.interfaceName !== '');
    return planNamespace(devices, (endpoint, namespace) => {
      const { driver, record } = this.#endpoints.networkOf(endpoint);
      return driver.createDevice(endpoint, record, namespace);
    });
  }

  settle(endpoints: readonly Endpoint[], pid?: number): void {
    const containerId = endpoints[0]?.containerId;
    if (containerId !== undefined) this.#names.set(containerId, endpoints, pid);
    this.#kernel.settle(
      endpoints
        .flatMap(({ hostInterfaceIndex, parentIndex }) => [hostInterfaceIndex, parentIndex])
        .filter(index => index !== 0),
    );
  }

  async release(endpoint: Endpoint): Promise<void> {
    this.#endpoints.release(endpoint);
  }

  async connectRunning(sandbox: RunningSandbox, pid: number, { network, config }: Attachment): Promise<Endpoint[]> {
    const endpoint = this.#endpoints.create(network, sandbox, config);
    const all = [...sandbox.endpoints, endpoint];
    const { driver, record } = this.#endpoints.networkOf(endpoint);
    try {
      if (driver.traits.addressed) {
        connectLive(this.#kernel, pid, endpoint, all, namespace => driver.createDevice(endpoint, record, namespace));
      }
    } catch (err) {
      this.#endpoints.release(endpoint);
      throw err;
    }
    this.#names.set(sandbox.containerId, all, pid);
    return all;
  }

  async disconnectRunning(sandbox: RunningSandbox, pid: number, network: string): Promise<Endpoint[]> {
    const { record } = this.#networks.find(network);
    const endpoint = sandbox.endpoints.find(candidate => candidate.networkId === record.id);
    if (endpoint === undefined) {
      throw new PermissionDenied(`container ${sandbox.containerId} is not connected to network ${record.name}`);
    }
    const left = sandbox.endpoints.filter(candidate => candidate.id !== endpoint.id);
    await disconnectLive(this.#kernel, pid, endpoint, left);
    this.#endpoints.release(endpoint);
    const now = await this.#endpoints.publishOn(left, samePorts(endpoint));
    this.#names.set(sandbox.containerId, now, pid);
    return now;
  }

  publishWarnings(requests: readonly PortBindingRequest[]): string[] {
    const everywhere = ['', '0.0.0.0', '::'];
    const own = this.#options.publishAddress ?? '';
    const open = requests.filter(({ hostIp }) => everywhere.includes(hostIp === '' ? own : hostIp));
    if (open.length === 0) return [];
    return this.#firewall.droppingInputChains().map(({ family, table, chain }) => {
      const ports = open.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`).join(', ');
      return `Published ports (${ports}) are reachable from everywhere: the firewall of this machine (nf_tables table ${family} ${table}, chain ${chain}) does not see them. Publish on 127.0.0.1 to keep them here`;
    });
  }

  denials(networkId?: string): readonly Denial[] {
    this.#egress.collect();
    return this.#egress.denials(networkId);
  }

  hostGateways(): readonly string[] {
    return this.#networks.byName('bridge')?.record.gateways.filter(gateway => gateway !== '') ?? [];
  }

  async heal(): Promise<string[]> {
    const found = heal({
      kernel: this.#kernel,
      firewall: this.#firewall,
      networks: () => this.#networks.all(),
      bringUp: network => this.#networks.up(network),
    });
    this.#networks.passOthers();
    return found;
  }

  close(): void {
    this.#stopWatching();
    this.#names.close();
    this.#ports.close();
    this.#kernel[Symbol.dispose]();
  }

  async destroy(): Promise<void> {
    // Or what we remove would be healed.
    this.#stopWatching();
    this.#firewall.passOthers([]);
    this.#firewall.removeTable();
    await Promise.all(this.#networks.all().map(network => network.driver.down(network.record)));
    this.close();
  }

  #stopWatching(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }

  async #look(): Promise<void> {
    // A look that was due before the watch ended.
    if (this.#watch === undefined) return;
    try {
      for (const message of await this.heal()) this.#options.warn?.(message);
    } catch (err) {
      this.#options.warn?.(`could not look after the firewall: ${(err as Error).message}`);
    }
  }
}
