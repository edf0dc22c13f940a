import { InvalidArgument, ResourceExhausted } from '../../errdefs/index.ts';
import type { Endpoint, EndpointConfig } from '../endpoint.ts';
import type { NetworkRecord } from '../network.ts';
import { AddressPool } from './address-pool.ts';
import { contains, type Prefix, parseAddress, parsePrefix } from './prefix.ts';

interface Pool {
  readonly pool: AddressPool;
  readonly configured: boolean;
  readonly gateway: string;
}

/** Addresses of one endpoint. */
export type Assigned = Pick<Endpoint, 'ipv4' | 'ipv6'>;

/** All the subnets of one network, and who has which address. */
export class NetworkPools {
  readonly #record: NetworkRecord;
  readonly #pools: readonly Pool[];

  constructor(record: NetworkRecord) {
    this.#record = record;
    this.#pools = record.ipam.config.flatMap((config, i) => {
      if (config.subnet === undefined) return [];
      const subnet = parsePrefix(config.subnet);
      const range = config.ipRange === undefined ? subnet : rangeOf(config.ipRange);
      const gateway = record.gateways[i] ?? '';
      const pool = new AddressPool(subnet, range);
      if (gateway !== '') pool.reserve(gateway);
      for (const address of Object.values(config.auxiliaryAddresses ?? {})) pool.reserve(address);
      return [{ pool, gateway, configured: record.subnetConfigured[i] === true }];
    });
  }

  get subnets(): readonly { readonly prefix: Prefix; readonly gateway: string }[] {
    return this.#pools.map(({ pool, gateway }) => ({ prefix: pool.subnet, gateway }));
  }

  /** Refuses static addresses that cannot be, in Docker's words. */
  check(config: EndpointConfig): string[] {
    const problems = new Set<string>();
    for (const [address, bits, words] of this.#wishes(config)) {
      const family = this.#pools.filter(({ pool }) => pool.subnet.bits === bits);
      if (!family.some(({ configured }) => configured)) {
        problems.add(
          'user specified IP address is supported only when connecting to networks with user configured subnets',
        );
      } else if (!family.some(({ pool }) => contains(pool.subnet, parseAddress(address).value))) {
        problems.add(`no configured subnet or ip-range contain the ${words} ${address}`);
      }
    }
    return [...problems];
  }

  /** Addresses for a new endpoint, of each family that the network has. */
  assign(config: EndpointConfig): Assigned {
    const ipv4 = this.#assignFamily(32, config.ipv4Address);
    try {
      const ipv6 = this.#assignFamily(128, config.ipv6Address);
      return { ...(ipv4 !== undefined && { ipv4 }), ...(ipv6 !== undefined && { ipv6 }) };
    } catch (err) {
      if (ipv4 !== undefined) this.#release(ipv4.address);
      throw err;
    }
  }

  /** Takes the addresses that an endpoint has already, when the daemon comes back. */
  adopt(assigned: Assigned): void {
    for (const given of [assigned.ipv4, assigned.ipv6]) {
      if (given === undefined) continue;
      const found = this.#poolOf(given.address);
      if (found !== undefined && !found.pool.has(given.address)) found.pool.reserve(given.address);
    }
  }

  release(assigned: Assigned): void {
    if (assigned.ipv4 !== undefined) this.#release(assigned.ipv4.address);
    if (assigned.ipv6 !== undefined) this.#release(assigned.ipv6.address);
  }

  #release(address: string): void {
    this.#poolOf(address)?.pool.release(address);
  }

  #poolOf(address: string): Pool | undefined {
    const { bits, value } = parseAddress(address);
    return this.#pools.find(({ pool }) => contains(pool.subnet, value, bits));
  }

  #assignFamily(bits: 32 | 128, wanted: string | undefined): Endpoint['ipv4'] | undefined {
    const candidates = this.#pools.filter(({ pool }) => pool.subnet.bits === bits);
    if (candidates.length === 0) return undefined;
    let full: unknown;
    for (const { pool, gateway } of candidates) {
      if (wanted !== undefined && wanted !== '' && !contains(pool.subnet, parseAddress(wanted).value)) continue;
      try {
        const address = wanted === undefined || wanted === '' ? pool.allocate() : reserve(pool, wanted);
        return { address, prefixLength: pool.subnet.length, ...(gateway !== '' && { gateway }) };
      } catch (err) {
        if (!(err instanceof ResourceExhausted)) throw err;
        full = err;
      }
    }
    if (full === undefined)
      throw new InvalidArgument(`invalid address ${wanted}: It does not belong to any of this network's subnets`);
    const { name, id } = this.#record;
    throw new ResourceExhausted(
      `no available IPv${bits === 32 ? 4 : 6} addresses on this network's address pools: ${name} (${id})`,
      { cause: full },
    );
  }

  *#wishes(config: EndpointConfig): Iterable<[string, 32 | 128, string]> {
    if (config.ipv4Address) yield [config.ipv4Address, 32, 'IP address'];
    if (config.ipv6Address) yield [config.ipv6Address, 128, 'IP address'];
  }
}

function reserve(pool: AddressPool, address: string): string {
  pool.reserve(address);
  return address;
}

/** The part of a subnet that addresses are given out from; it may be written with host bits. */
function rangeOf(text: string): Prefix {
  const [address = '', length] = text.split('/');
  const { bits, value } = parseAddress(address);
  const shift = BigInt(bits - Number(length));
  return { bits, base: (value >> shift) << shift, length: Number(length) };
}
