import type { Egress } from '../egress/egress.ts';
import type { Endpoint } from '../endpoint.ts';
import { readHostResolvConf } from '../files/resolv-conf.ts';
import { predefinedNetworks } from '../network.ts';
import { ContainerResolver } from './container-resolver.ts';
import type { EndpointsOf } from './names.ts';

export interface NameServiceOptions {
  readonly endpointsOf: EndpointsOf;
  /** Is this network without a way out? */
  readonly isInternal: (networkId: string) => boolean;
  readonly egress: Egress;
  readonly warn: (message: string) => void;
}

/** How long the host's resolv.conf is believed. */
const freshMs = 5000;

/** The resolvers of all containers on user-defined networks. */
export class NameService {
  readonly #options: NameServiceOptions;
  readonly #resolvers = new Map<string, ContainerResolver>();
  readonly #endpoints = new Map<string, readonly Endpoint[]>();
  #host: { servers: readonly string[]; readAt: number } | undefined;

  constructor(options: NameServiceOptions) {
    this.#options = options;
  }

  /** A container has these endpoints now. With a process to find its namespace by, its resolver begins to answer. */
  set(containerId: string, endpoints: readonly Endpoint[], pid: number | undefined): void {
    this.#endpoints.set(containerId, endpoints);
    const needed = endpoints.some(({ networkName }) => !predefinedNetworks.has(networkName));
    if (!needed || pid === undefined || this.#resolvers.has(containerId)) return;
    try {
      this.#resolvers.set(containerId, this.#open(containerId, pid, endpoints));
    } catch (err) {
      this.#options.warn(`no name service for container ${endpoints[0]?.containerName}: ${(err as Error).message}`);
    }
  }

  /** An endpoint is gone; with the last one of a container its resolver. */
  remove(endpoint: Endpoint): void {
    const left = (this.#endpoints.get(endpoint.containerId) ?? []).filter(({ id }) => id !== endpoint.id);
    if (left.length === 0) this.delete(endpoint.containerId);
    else this.#endpoints.set(endpoint.containerId, left);
  }

  /** The container has ended. */
  delete(containerId: string): void {
    this.#endpoints.delete(containerId);
    this.#resolvers.get(containerId)?.[Symbol.dispose]();
    this.#resolvers.delete(containerId);
  }

  close(): void {
    for (const id of [...this.#resolvers.keys()]) this.delete(id);
  }

  #open(containerId: string, pid: number, endpoints: readonly Endpoint[]): ContainerResolver {
    const own = (): readonly Endpoint[] =>
      (this.#endpoints.get(containerId) ?? []).filter(({ networkName }) => !predefinedNetworks.has(networkName));
    const hasWayOut = (): boolean =>
      (this.#endpoints.get(containerId) ?? []).some(({ networkId }) => !this.#options.isInternal(networkId));
    const { egress } = this.#options;
    const all = (): readonly Endpoint[] => this.#endpoints.get(containerId) ?? [];
    const isBound = egress.isBound(endpoints);
    return new ContainerResolver(
      pid,
      {
        overrides: endpoints[0]?.resolver ?? {},
        hostServers: () => (hasWayOut() ? this.#hostServers() : []),
        // The policy lets no name server of the user's choice through, nor should it.
        fromHost: isBound,
      },
      {
        endpoints: own,
        endpointsOf: this.#options.endpointsOf,
        denied: name => egress.isBound(all()) && egress.isNameDenied(all(), name),
        answered: (name, addresses, ttlSeconds) => {
          if (egress.isBound(all())) egress.openName(all(), name, addresses, ttlSeconds);
        },
      },
    );
  }

  #hostServers(): readonly string[] {
    if (this.#host === undefined || Date.now() - this.#host.readAt > freshMs) {
      this.#host = { servers: readHostResolvConf().nameservers, readAt: Date.now() };
    }
    return this.#host.servers;
  }
}
