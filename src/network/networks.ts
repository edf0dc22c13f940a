import { Internal, PermissionDenied } from '../errdefs/index.ts';
import { ActiveNetwork } from './active-network.ts';
import type { NetworkControllerOptions } from './controller.ts';
import { newNetworkRecord } from './create-network.ts';
import { BridgeDriver } from './drivers/bridge.ts';
import type { Driver } from './drivers/driver.ts';
import { ParentedDriver } from './drivers/parented.ts';
import { hostDriver, nullDriver } from './drivers/plain.ts';
import type { Egress } from './egress/egress.ts';
import type { Firewall } from './firewall/firewall.ts';
import { hostRoutes } from './ipam/host-routes.ts';
import { type AddressPoolConfig, checkAddressPools, defaultAddressPools, uniqueLocalPool } from './ipam/subnets.ts';
import type { Kernel } from './kernel.ts';
import { type CreateNetworkOptions, type NetworkRecord, predefinedNetworks } from './network.ts';
import { NetworkSet } from './network-set.ts';
import { defaultBridge, plainNetwork } from './predefined.ts';

export interface NetworksParts {
  readonly options: NetworkControllerOptions;
  readonly kernel: Kernel;
  readonly firewall: Firewall;
  readonly egress: () => Egress;
  readonly warn: (message: string) => void;
}

/** The networks of an engine: their records, their devices, their place in the table. */
export class Networks extends NetworkSet {
  readonly #parts: NetworksParts;
  readonly #pools: readonly AddressPoolConfig[];
  readonly #drivers: ReadonlyMap<string, Driver>;
  readonly #told = new Set<string>();

  constructor(parts: NetworksParts) {
    super();
    this.#parts = parts;
    const { options, kernel } = parts;
    const pools = options.defaultAddressPools ?? [];
    checkAddressPools(pools);
    const has = (six: boolean): boolean => pools.some(pool => pool.base.includes(':') === six);
    this.#pools = [
      ...pools,
      ...(has(false) ? [] : defaultAddressPools),
      ...(has(true) ? [] : [uniqueLocalPool(options.engineId)]),
    ];
    const drivers: Driver[] = [
      new BridgeDriver(kernel, { mtu: options.mtu ?? 1500 }),
      new ParentedDriver('macvlan', kernel),
      new ParentedDriver('ipvlan', kernel),
      hostDriver,
      nullDriver,
    ];
    this.#drivers = new Map(drivers.map(driver => [driver.name, driver]));
  }

  /** Reads the records of the last run, makes the predefined networks, and brings all devices up. */
  load(): void {
    const { options, kernel } = this.#parts;
    for (const record of options.store.load()) {
      if (record.name !== 'bridge') this.add(this.#active(record));
    }
    for (const name of ['host', 'none'] as const) {
      if (this.byName(name) === undefined) this.#save(plainNetwork(name, now()));
    }
    if (options.bridge !== 'none') this.#save(this.#defaultBridge());
    if (options.ipForward !== false) kernel.sysctl('ipv4/ip_forward', '1');
    for (const network of this.all()) this.#tryUp(network);
  }

  async create(request: CreateNetworkOptions): Promise<NetworkRecord> {
    const { kernel, firewall, egress, options } = this.#parts;
    const record = newNetworkRecord(request, {
      networks: this.records(),
      taken: this.takenPrefixes(),
      routes: () => hostRoutes(kernel),
      pools: this.#pools,
      drivers: new Set(this.#drivers.keys()),
      now: now(),
    });
    const network = this.#active(record);
    network.driver.check(record, this.records());
    try {
      if (!record.configOnly) this.up(network);
      this.add(network);
      if (network.hostSide.bridge !== undefined) {
        firewall.addBridge(network.hostSide.bridge);
        egress().addNetwork(record);
        this.passOthers();
      }
      options.store.save(record);
    } catch (err) {
      this.delete(record.id);
      await this.down(network);
      throw err;
    }
    return record;
  }

  async remove(ref: string): Promise<void> {
    const network = this.find(ref);
    const { record } = network;
    if (predefinedNetworks.has(record.name)) {
      throw new PermissionDenied(`${record.name} is a pre-defined network and cannot be removed`);
    }
    const users = [...network.endpoints.values()];
    if (users.length > 0) {
      const list = users.map(user => `name:"${user.containerName}" id:"${user.id.slice(0, 12)}"`).join(', ');
      throw new PermissionDenied(`error while removing network: network ${record.name} has active endpoints (${list})`);
    }
    this.#parts.options.store.delete(record.id);
    this.delete(record.id);
    await this.down(network);
  }

  /** Brings a network's devices up, or sets right what is there. */
  up(network: ActiveNetwork): void {
    const { record, driver } = network;
    if (record.configOnly) return;
    network.hostSide = driver.up(record);
    if (record.enableIPv6 && driver.name === 'bridge' && this.#parts.options.ipForward !== false) {
      this.#parts.kernel.forwardIPv6();
    }
  }

  async down(network: ActiveNetwork): Promise<void> {
    const { bridge } = network.hostSide;
    if (bridge !== undefined) {
      this.#parts.egress().removeNetwork(network.record);
      this.#parts.firewall.removeBridge(bridge.index);
    }
    if (!network.record.configOnly) await network.driver.down(network.record);
  }

  /** Gets the bridges past firewalls of others. Each trouble is told once, until it is over. */
  passOthers(): void {
    const bridges = this.all().flatMap(({ hostSide: { bridge } }) => (bridge === undefined ? [] : [bridge.name]));
    const blocked = this.#parts.firewall.passOthers(bridges);
    for (const message of blocked) if (!this.#told.has(message)) this.#parts.warn(message);
    this.#told.clear();
    for (const message of blocked) this.#told.add(message);
  }

  /** At start one network that cannot be must not keep the engine from the others. */
  #tryUp(network: ActiveNetwork): void {
    try {
      this.up(network);
    } catch (err) {
      if (network.record.name === 'bridge') throw err;
      this.#parts.warn(`network ${network.record.name} cannot be used: ${(err as Error).message}`);
    }
  }

  #active(record: NetworkRecord): ActiveNetwork {
    const driver = this.#drivers.get(record.driver);
    if (driver === undefined) throw new Internal(`network ${record.name} has the unknown driver ${record.driver}`);
    return new ActiveNetwork(record, driver);
  }

  #save(record: NetworkRecord): void {
    this.add(this.#active(record));
    this.#parts.options.store.save(record);
  }

  #defaultBridge(): NetworkRecord {
    const { options, kernel } = this.#parts;
    return defaultBridge({
      options,
      before: options.store.load().find(record => record.name === 'bridge'),
      present: kernel.addressOf(options.bridge),
      pools: this.#pools,
      taken: [...this.takenPrefixes(), ...hostRoutes(kernel)],
      now: now(),
    });
  }
}

/** The time as Docker writes it. */
const now = (): string => new Date().toISOString().replace('Z', '000000Z');
