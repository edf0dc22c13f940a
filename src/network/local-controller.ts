import { Internal, PermissionDenied } from '../errdefs/index.ts';
import { ActiveNetwork } from './active-network.ts';
import type { Attachment, NetworkController, NetworkControllerOptions } from './controller.ts';
import { newNetworkRecord } from './create-network.ts';
import { NameService } from './dns/name-service.ts';
import { BridgeDriver } from './drivers/bridge.ts';
import type { Driver } from './drivers/driver.ts';
import { ParentedDriver } from './drivers/parented.ts';
import { hostDriver, nullDriver } from './drivers/plain.ts';
import { type Denial, Egress } from './egress/egress.ts';
import type { Endpoint, EndpointConfig, PortBindingRequest, Sandbox } from './endpoint.ts';
import { Firewall } from './firewall/firewall.ts';
import { hostRoutes } from './ipam/host-routes.ts';
import { type AddressPoolConfig, checkAddressPools, defaultAddressPools, uniqueLocalPool } from './ipam/subnets.ts';
import { Kernel } from './kernel.ts';
import { connectLive, disconnectLive } from './live.ts';
import { InterfaceNumbers } from './names.ts';
import { type CreateNetworkOptions, type NetworkRecord, predefinedNetworks } from './network.ts';
import { NetworkSet } from './network-set.ts';
import { checkEndpointConfig, newEndpoint } from './new-endpoint.ts';
import { gatewayEndpoint, loopbackPlan, type NetnsPlan, planNamespace } from './plan.ts';
import { PortTable } from './ports/port-table.ts';
import { reservePort } from './ports/reservation.ts';
import { defaultBridge, plainNetwork } from './predefined.ts';
import { heal, watchTables } from './watch.ts';

/** The networks of one engine on this machine. See `NetworkController` for what each method promises. */
export class LocalNetworkController implements NetworkController {
  readonly #options: NetworkControllerOptions;
  readonly #pools: readonly AddressPoolConfig[];
  readonly #kernel = new Kernel();
  readonly #firewall: Firewall;
  readonly #ports: PortTable;
  readonly #drivers: ReadonlyMap<string, Driver>;
  readonly #networks = new NetworkSet();
  readonly #numbers = new InterfaceNumbers();
  readonly #names: NameService;
  readonly #egress: Egress;
  readonly #told = new Set<string>();
  #watch: Disposable | undefined;

  constructor(options: NetworkControllerOptions) {
    this.#options = options;
    const pools = options.defaultAddressPools ?? [];
    checkAddressPools(pools);
    const has6 = pools.some(pool => pool.base.includes(':'));
    const has4 = pools.some(pool => !pool.base.includes(':'));
    this.#pools = [
      ...pools,
      ...(has4 ? [] : defaultAddressPools),
      ...(has6 ? [] : [uniqueLocalPool(options.engineId)]),
    ];
    this.#firewall = new Firewall(this.#kernel.netfilter, options.table ?? `berth-${options.bridge}`);
    this.#ports = new PortTable(options.reservePort ?? reservePort);
    this.#egress = new Egress({
      firewall: this.#firewall,
      networkOf: id => this.#networks.byId(id)?.record,
      endpointAt: address => this.#endpointAt(address),
      denied: denial => this.#options.onDenied?.(denial),
    });
    this.#names = new NameService({
      egress: this.#egress,
      endpointsOf: id => this.endpointsOf(id),
      isInternal: id => this.#networks.byId(id)?.record.internal ?? false,
      warn: message => this.#warn(message),
    });
    const drivers: Driver[] = [
      new BridgeDriver(this.#kernel, { mtu: options.mtu ?? 1500 }),
      new ParentedDriver('macvlan', this.#kernel),
      new ParentedDriver('ipvlan', this.#kernel),
      hostDriver,
      nullDriver,
    ];
    this.#drivers = new Map(drivers.map(driver => [driver.name, driver]));
  }

  async restore(living: readonly Endpoint[], pidOf?: (containerId: string) => number | undefined): Promise<void> {
    // 1. Records: those of the last run, and the predefined ones.
    for (const record of this.#options.store.load()) {
      if (record.name !== 'bridge') this.#add(record);
    }
    for (const name of ['host', 'none'] as const) {
      if (this.#networks.byName(name) === undefined) this.#save(plainNetwork(name, now()));
    }
    if (this.#options.bridge !== 'none') this.#save(this.#defaultBridge());
    // 2. Devices.
    if (this.#options.ipForward !== false) this.#kernel.sysctl('ipv4/ip_forward', '1');
    for (const network of this.#networks.all()) this.#tryUp(network);
    // 3. What living containers have.
    for (const endpoint of living) this.#adopt(endpoint);
    // 4. The table, as a whole.
    this.#resetFirewall();
    for (const endpoint of living) await this.#adoptPorts(endpoint);
    this.#passOthers();
    this.#watch = watchTables(
      this.#firewall,
      () => void this.#look(),
      () => this.#egress.collect(),
    );
    // 5. Names.
    for (const [containerId, endpoints = []] of Map.groupBy(living, endpoint => endpoint.containerId)) {
      this.#names.set(containerId, endpoints, pidOf?.(containerId));
    }
  }

  async createNetwork(request: CreateNetworkOptions): Promise<NetworkRecord> {
    const record = newNetworkRecord(request, {
      networks: this.#networks.records(),
      taken: this.#networks.takenPrefixes(),
      routes: () => hostRoutes(this.#kernel),
      pools: this.#pools,
      drivers: new Set(this.#drivers.keys()),
      now: now(),
    });
    const network = this.#active(record);
    network.driver.check(record, this.#networks.records());
    try {
      if (!record.configOnly) this.#up(network);
      this.#networks.add(network);
      if (network.hostSide.bridge !== undefined) {
        this.#firewall.addBridge(network.hostSide.bridge);
        this.#egress.addNetwork(record);
        this.#passOthers();
      }
      this.#options.store.save(record);
    } catch (err) {
      this.#networks.delete(record.id);
      this.#down(network);
      throw err;
    }
    return record;
  }

  async removeNetwork(ref: string): Promise<void> {
    const network = this.#networks.find(ref);
    const { record } = network;
    if (predefinedNetworks.has(record.name)) {
      throw new PermissionDenied(`${record.name} is a pre-defined network and cannot be removed`);
    }
    const users = [...network.endpoints.values()];
    if (users.length > 0) {
      const list = users.map(user => `name:"${user.containerName}" id:"${user.id.slice(0, 12)}"`).join(', ');
      throw new PermissionDenied(`error while removing network: network ${record.name} has active endpoints (${list})`);
    }
    this.#options.store.delete(record.id);
    this.#networks.delete(record.id);
    this.#down(network);
  }

  async pruneNetworks(filter: (network: NetworkRecord) => boolean = () => true): Promise<string[]> {
    const idle = this.#networks
      .all()
      .filter(
        ({ record, endpoints }) => !predefinedNetworks.has(record.name) && endpoints.size === 0 && filter(record),
      );
    for (const { record } of idle) await this.removeNetwork(record.id);
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

  async attach(
    sandbox: Sandbox,
    attachments: readonly Attachment[],
    ports: readonly PortBindingRequest[],
  ): Promise<Endpoint[]> {
    const done: Endpoint[] = [];
    try {
      for (const { network, config } of attachments) {
        done.push(
          this.#newEndpoint(network, { ...sandbox, endpoints: [...(sandbox.endpoints ?? []), ...done] }, config),
        );
      }
      const gateway = gatewayEndpoint(done) ?? gatewayEndpoint(done, 'ipv6');
      if (gateway === undefined || ports.length === 0) return done;
      const published = await this.#publish(gateway, ports);
      return done.map(endpoint => (endpoint.id === published.id ? published : endpoint));
    } catch (err) {
      for (const endpoint of done) await this.release(endpoint);
      throw err;
    }
  }

  async connect(
    sandbox: Sandbox,
    network: string,
    config: EndpointConfig = {},
    ports: readonly PortBindingRequest[] = [],
  ): Promise<Endpoint> {
    const endpoint = this.#newEndpoint(network, sandbox, config);
    try {
      return ports.length === 0 ? endpoint : await this.#publish(endpoint, ports);
    } catch (err) {
      await this.release(endpoint);
      throw err;
    }
  }

  plan(endpoints: readonly Endpoint[]): NetnsPlan {
    if (endpoints.length === 0) return loopbackPlan();
    if (endpoints.some(endpoint => endpoint.driver === 'host')) return { host: [], sysctls: [], inside: [] };
    return planNamespace(
      endpoints.filter(endpoint => endpoint.interfaceName !== ''),
      (endpoint, namespace) =>
        this.#networkOf(endpoint).driver.createDevice(endpoint, this.#networkOf(endpoint).record, namespace),
    );
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
    const network = this.#networks.byId(endpoint.networkId);
    const known = network?.endpoints.get(endpoint.id);
    if (network === undefined || known === undefined) return;
    network.endpoints.delete(endpoint.id);
    if (known.ports.length > 0) {
      this.#firewall.unpublish(network.firewallPorts(known));
      this.#ports.release(known.ports);
    }
    this.#egress.removeEndpoint(known);
    network.pools.release(known);
    this.#names.remove(known);
  }

  async connectRunning(
    sandbox: Sandbox & { readonly endpoints: readonly Endpoint[] },
    pid: number,
    { network, config }: Attachment,
  ): Promise<Endpoint[]> {
    const endpoint = this.#newEndpoint(network, sandbox, config);
    const all = [...sandbox.endpoints, endpoint];
    const active = this.#networkOf(endpoint);
    try {
      if (active.driver.traits.addressed) {
        connectLive(this.#kernel, pid, endpoint, all, namespace =>
          active.driver.createDevice(endpoint, active.record, namespace),
        );
      }
    } catch (err) {
      await this.release(endpoint);
      throw err;
    }
    this.#names.set(sandbox.containerId, all, pid);
    return all;
  }

  async disconnectRunning(
    sandbox: Sandbox & { readonly endpoints: readonly Endpoint[] },
    pid: number,
    network: string,
  ): Promise<Endpoint[]> {
    const { record } = this.#networks.find(network);
    const endpoint = sandbox.endpoints.find(candidate => candidate.networkId === record.id);
    if (endpoint === undefined) {
      throw new PermissionDenied(`container ${sandbox.containerId} is not connected to network ${record.name}`);
    }
    const left = sandbox.endpoints.filter(candidate => candidate.id !== endpoint.id);
    disconnectLive(pid, endpoint, left);
    await this.release(endpoint);
    this.#names.set(sandbox.containerId, left, pid);
    return left;
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
      bringUp: network => this.#up(network),
    });
    this.#passOthers();
    return found;
  }

  close(): void {
    this.#watch?.[Symbol.dispose]();
    this.#names.close();
    this.#ports.close();
    this.#kernel[Symbol.dispose]();
  }

  async destroy(): Promise<void> {
    this.#firewall.passOthers([]);
    this.#firewall.removeTable();
    for (const network of this.#networks.all()) network.driver.down(network.record);
    this.close();
  }

  #defaultBridge(): NetworkRecord {
    const before = this.#options.store.load().find(record => record.name === 'bridge');
    return defaultBridge({
      options: this.#options,
      before,
      present: this.#kernel.addressOf(this.#options.bridge),
      pools: this.#pools,
      taken: [...this.#networks.takenPrefixes(), ...hostRoutes(this.#kernel)],
      now: now(),
    });
  }

  #active(record: NetworkRecord): ActiveNetwork {
    const driver = this.#drivers.get(record.driver);
    if (driver === undefined) throw new Internal(`network ${record.name} has the unknown driver ${record.driver}`);
    return new ActiveNetwork(record, driver);
  }

  #add(record: NetworkRecord): void {
    this.#networks.add(this.#active(record));
  }

  #save(record: NetworkRecord): void {
    this.#add(record);
    this.#options.store.save(record);
  }

  #up(network: ActiveNetwork): void {
    const { record, driver } = network;
    if (record.configOnly) return;
    network.hostSide = driver.up(record);
    if (record.enableIPv6 && driver.name === 'bridge' && this.#options.ipForward !== false) {
      this.#kernel.sysctl('ipv6/conf/all/forwarding', '1');
    }
  }

  /** At start one network that cannot be must not keep the engine from the others. */
  #tryUp(network: ActiveNetwork): void {
    try {
      this.#up(network);
    } catch (err) {
      if (network.record.name === 'bridge') throw err;
      this.#warn(`network ${network.record.name} cannot be used: ${(err as Error).message}`);
    }
  }

  #down(network: ActiveNetwork): void {
    const { bridge } = network.hostSide;
    if (bridge !== undefined) {
      this.#egress.removeNetwork(network.record);
      this.#firewall.removeBridge(bridge.index);
    }
    network.driver.down(network.record);
  }

  #newEndpoint(network: string, sandbox: Sandbox, config: EndpointConfig = {}): Endpoint {
    const endpoint = newEndpoint(this.#networks.find(network), sandbox, config, this.#numbers);
    this.#egress.addEndpoint(endpoint);
    return endpoint;
  }

  #networkOf(endpoint: Endpoint): ActiveNetwork {
    return this.#networks.find(endpoint.networkId);
  }

  async #publish(endpoint: Endpoint, requests: readonly PortBindingRequest[]): Promise<Endpoint> {
    const network = this.#networkOf(endpoint);
    if (!network.driver.traits.publishes || network.record.internal) return endpoint;
    try {
      const ports = await this.#ports.allocate(
        requests,
        targetOf(endpoint),
        network.defaultHostIps(this.#options.publishAddress ?? ''),
      );
      const published = { ...endpoint, ports };
      // Known before it is in force, so that a failure is undone by `release`.
      network.endpoints.set(endpoint.id, published);
      this.#firewall.publish(network.firewallPorts(published));
      return published;
    } catch (err) {
      throw new Internal(
        `driver failed programming external connectivity on endpoint ${endpoint.containerName} (${endpoint.id}): ${(err as Error).message}`,
        { cause: err },
      );
    }
  }

  #endpointAt(address: string): Endpoint | undefined {
    return this.#networks
      .all()
      .flatMap(({ endpoints }) => [...endpoints.values()])
      .find(({ ipv4, ipv6 }) => ipv4?.address === address || ipv6?.address === address);
  }

  #adopt(endpoint: Endpoint): void {
    const network = this.#networks.byId(endpoint.networkId);
    if (network === undefined) {
      this.#warn(`container ${endpoint.containerName} is on the network ${endpoint.networkName}, which is gone`);
      return;
    }
    network.pools.adopt(endpoint);
    network.endpoints.set(endpoint.id, endpoint);
    this.#numbers.skip(endpoint.interfaceIndex);
    this.#numbers.skip(endpoint.hostInterfaceIndex);
  }

  async #adoptPorts(endpoint: Endpoint): Promise<void> {
    for (const { port, error } of await this.#ports.adopt(endpoint.ports, targetOf(endpoint))) {
      this.#warn(
        `port ${port.hostIp}:${port.hostPort}/${port.protocol} of container ${endpoint.containerName} is held by somebody else too: ${error.message}`,
      );
    }
  }

  #resetFirewall(): void {
    const networks = this.#networks.all();
    this.#firewall.reset(
      networks.flatMap(({ hostSide }) => (hostSide.bridge === undefined ? [] : [hostSide.bridge])),
      networks.flatMap(network => [...network.endpoints.values()].flatMap(endpoint => network.firewallPorts(endpoint))),
      this.#egress.allElements(networks),
    );
  }

  async #look(): Promise<void> {
    try {
      for (const message of await this.heal()) this.#warn(message);
    } catch (err) {
      this.#warn(`could not look after the firewall: ${(err as Error).message}`);
    }
  }

  /** Each trouble is told once, until it is over. */
  #passOthers(): void {
    const bridges = this.#networks
      .all()
      .flatMap(({ hostSide: { bridge } }) => (bridge === undefined ? [] : [bridge.name]));
    const blocked = this.#firewall.passOthers(bridges);
    for (const message of blocked) if (!this.#told.has(message)) this.#warn(message);
    this.#told.clear();
    for (const message of blocked) this.#told.add(message);
  }

  #warn(message: string): void {
    this.#options.warn?.(message);
  }
}

const targetOf = ({ ipv4, ipv6 }: Endpoint) => ({
  ...(ipv4 !== undefined && { ipv4: ipv4.address }),
  ...(ipv6 !== undefined && { ipv6: ipv6.address }),
});

/** The time as Docker writes it. */
const now = (): string => new Date().toISOString().replace('Z', '000000Z');
