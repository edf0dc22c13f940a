import { decodeAddress } from '../../netlink/index.ts';
import type { ActiveNetwork } from '../active-network.ts';
import type { Endpoint } from '../endpoint.ts';
import { type Elements, merge, protocolNumber } from '../firewall/elements.ts';
import type { Firewall } from '../firewall/firewall.ts';
import { setName } from '../firewall/set-names.ts';
import { type Prefix, parseAddress, parsePrefix, prefixOf } from '../ipam/prefix.ts';
import { type NetworkRecord, option } from '../network.ts';
import { allowElement, allowedElements, allowedSet, boundSource, covers, type Scope } from './elements.ts';
import { allowedName, type EgressPolicy, parseEgressPolicy } from './policy.ts';

/** A packet or a name that a policy kept inside. */
export interface Denial {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly networkId: string;
  readonly networkName: string;
  readonly containerId: string;
  readonly containerName: string;
  /** A name that was asked for, or an address that packets were sent to. */
  readonly destination: string;
  readonly protocol?: string;
  readonly port?: number;
}

export interface EgressOptions {
  readonly firewall: Firewall;
  readonly networkOf: (networkId: string) => NetworkRecord | undefined;
  readonly endpointAt: (address: string) => Endpoint | undefined;
  readonly denied: (denial: Denial) => void;
}

/** How long an address that a name led to stays open: longer than programs keep it. */
const leastOpenMs = 5 * 60_000;
const mostKept = 1000;

const wholeAddress = (address: string): Prefix => {
  const { bits, value } = parseAddress(address);
  return prefixOf(value, bits, bits);
};

const protocolNames = new Map(Object.entries(protocolNumber).map(([name, number]) => [number, name]));

/** Holds networks and containers to their egress policies, in the table and in the resolver. */
export class Egress {
  readonly #options: EgressOptions;
  readonly #denials: Denial[] = [];
  readonly #seen = new Map<string, number>();
  #active = 0;

  constructor(options: EgressOptions) {
    this.#options = options;
  }

  /** Elements by which a whole network is held to its policy; its bridge must be among the restricted ones too. */
  networkElements(record: NetworkRecord) {
    const policy = parseEgressPolicy(record.options[option.egress]);
    if (policy === undefined) return {};
    const subnets = record.ipam.config.flatMap(({ subnet }) => (subnet === undefined ? [] : [parsePrefix(subnet)]));
    return merge(subnets.map(subnet => allowedElements('network', policy.allowed, subnet)));
  }

  endpointElements(endpoint: Endpoint) {
    const policy = parseEgressPolicy(endpoint.egress);
    if (policy === undefined) return {};
    const sources = addressesOf(endpoint);
    return merge(
      sources.flatMap(source => [boundSource(source), allowedElements('container', policy.allowed, source)]),
    );
  }

  /** Everything, for a table made as a whole. */
  allElements(networks: readonly ActiveNetwork[]): Elements {
    const bound = networks.filter(({ record }) => parseEgressPolicy(record.options[option.egress]) !== undefined);
    const endpoints = networks
      .flatMap(network => [...network.endpoints.values()])
      .filter(({ egress }) => egress !== undefined);
    this.#active = bound.length + endpoints.length;
    return merge([
      ...bound.map(({ record }) => this.networkElements(record)),
      ...endpoints.map(endpoint => this.endpointElements(endpoint)),
    ]);
  }

  addNetwork(record: NetworkRecord): void {
    if (parseEgressPolicy(record.options[option.egress]) === undefined) return;
    this.#active++;
    this.#options.firewall.add(this.networkElements(record));
  }

  removeNetwork(record: NetworkRecord): void {
    if (parseEgressPolicy(record.options[option.egress]) === undefined) return;
    this.#active--;
    this.#options.firewall.remove(this.networkElements(record));
  }

  addEndpoint(endpoint: Endpoint): void {
    if (endpoint.egress === undefined) return;
    this.#active++;
    this.#options.firewall.add(this.endpointElements(endpoint));
  }

  removeEndpoint(endpoint: Endpoint): void {
    if (endpoint.egress === undefined) return;
    this.#active--;
    this.#options.firewall.remove(this.endpointElements(endpoint));
  }

  /** May a container with these endpoints ask for this name? A denial is noted. */
  isNameDenied(endpoints: readonly Endpoint[], name: string): boolean {
    for (const endpoint of endpoints) {
      if (this.#policiesOf(endpoint).every(([, policy]) => allowedName(policy, name).length > 0)) continue;
      this.#note(endpoint, { destination: name });
      return true;
    }
    return false;
  }

  /** A name that was let out has these addresses: they are open to who asked, before he hears of them. */
  openName(endpoints: readonly Endpoint[], name: string, addresses: readonly string[], ttlSeconds: number): void {
    const timeoutMs = Math.max(ttlSeconds * 1000, leastOpenMs);
    for (const endpoint of endpoints) {
      for (const [scope, policy] of this.#policiesOf(endpoint)) {
        for (const limit of allowedName(policy, name)) {
          for (const destination of addresses.map(wholeAddress)) {
            const source = addressesOf(endpoint).find(({ bits }) => bits === destination.bits);
            if (source === undefined || policy.allowed.some(entry => covers(entry, destination, limit))) continue;
            const element = allowElement(source, destination, limit, timeoutMs);
            this.#options.firewall.addForATime(allowedSet(scope, source.bits), element);
          }
        }
      }
    }
  }

  isBound(endpoints: readonly Endpoint[]): boolean {
    return endpoints.some(endpoint => this.#policiesOf(endpoint).length > 0);
  }

  /** What has been kept inside, the newest last. */
  denials(networkId?: string): readonly Denial[] {
    return this.#denials.filter(denial => networkId === undefined || denial.networkId === networkId);
  }

  /** Reads what the table has turned away since. */
  collect(): void {
    if (this.#active === 0) return;
    const now = Date.now();
    for (const [set, bytes] of [
      [setName.denied4, 4],
      [setName.denied6, 16],
    ] as const) {
      for (const { key } of this.#options.firewall.elementsOf(set)) this.#noteKey(key, bytes, now);
    }
  }

  #noteKey(key: Uint8Array, bytes: 4 | 16, now: number): void {
    const id = Buffer.from(key).toString('hex');
    // An element lives for a minute after its last packet; while it does, it is told once.
    const before = this.#seen.get(id);
    this.#seen.set(id, now);
    if (before !== undefined && now - before < 60_000) return;
    if (this.#seen.size > mostKept) for (const [old, at] of this.#seen) if (now - at > 60_000) this.#seen.delete(old);
    const source = decodeAddress(key.subarray(0, bytes));
    const endpoint = this.#options.endpointAt(source);
    if (endpoint === undefined) return;
    const protocol = key[2 * bytes] ?? 0;
    const port = ((key[2 * bytes + 4] ?? 0) << 8) | (key[2 * bytes + 5] ?? 0);
    const named = protocolNames.get(protocol);
    this.#note(endpoint, {
      destination: decodeAddress(key.subarray(bytes, 2 * bytes)),
      protocol: named ?? String(protocol),
      ...(named !== undefined && { port }),
    });
  }

  #note(endpoint: Endpoint, what: Pick<Denial, 'destination' | 'protocol' | 'port'>): void {
    const { networkId, networkName, containerId, containerName } = endpoint;
    const denial = { time: Date.now(), networkId, networkName, containerId, containerName, ...what };
    this.#denials.push(denial);
    if (this.#denials.length > mostKept) this.#denials.shift();
    this.#options.denied(denial);
  }

  /** The network's policy and the container's own: a name must please both. */
  #policiesOf(endpoint: Endpoint): [Scope, EgressPolicy][] {
    const network = parseEgressPolicy(this.#options.networkOf(endpoint.networkId)?.options[option.egress]);
    const own = parseEgressPolicy(endpoint.egress);
    return [
      ...(network === undefined ? [] : [['network', network] as [Scope, EgressPolicy]]),
      ...(own === undefined ? [] : [['container', own] as [Scope, EgressPolicy]]),
    ];
  }
}

const addressesOf = ({ ipv4, ipv6 }: Endpoint): Prefix[] =>
  [ipv4, ipv6].flatMap(given => (given === undefined ? [] : [wholeAddress(given.address)]));
