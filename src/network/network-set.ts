import { InvalidArgument, NotFound } from '../errdefs/index.ts';
import type { ActiveNetwork } from './active-network.ts';
import type { Endpoint } from './endpoint.ts';
import type { TakenPrefix } from './ipam/subnets.ts';
import type { NetworkRecord } from './network.ts';

/** The networks of this engine, found by whatever a client calls them. */
export class NetworkSet {
  readonly #byId = new Map<string, ActiveNetwork>();

  add(network: ActiveNetwork): void {
    this.#byId.set(network.record.id, network);
  }

  delete(id: string): void {
    this.#byId.delete(id);
  }

  byId(id: string): ActiveNetwork | undefined {
    return this.#byId.get(id);
  }

  byName(name: string): ActiveNetwork | undefined {
    return this.all().find(network => network.record.name === name);
  }

  all(): ActiveNetwork[] {
    return [...this.#byId.values()];
  }

  records(): NetworkRecord[] {
    return this.all().map(network => network.record);
  }

  /** By whole id, then name, then the beginning of an id. `default` is the network `bridge`. */
  find(ref: string): ActiveNetwork {
    const name = ref === 'default' ? 'bridge' : ref;
    const exact = this.byId(name) ?? this.byName(name);
    if (exact !== undefined) return exact;
    const matches = name === '' ? [] : this.all().filter(network => network.record.id.startsWith(name));
    if (matches.length > 1) {
      throw new InvalidArgument(`network ${ref} is ambiguous (${matches.length} matches found based on ID prefix)`);
    }
    if (matches[0] === undefined) throw new NotFound(`network ${ref} not found`);
    return matches[0];
  }

  /** The endpoint that has an address. */
  endpointAt(address: string): Endpoint | undefined {
    return this.all()
      .flatMap(({ endpoints }) => [...endpoints.values()])
      .find(({ ipv4, ipv6 }) => ipv4?.address === address || ipv6?.address === address);
  }

  takenPrefixes(): TakenPrefix[] {
    return this.all().flatMap(({ record, pools }) =>
      pools.subnets.map(({ prefix }) => ({ prefix, owner: `network ${record.name}` })),
    );
  }
}
