import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { Internal } from '../../errdefs/index.ts';
import type { PortBindingRequest, PortProtocol, PublishedPort } from '../endpoint.ts';
import type { Reservation, ReservationTarget, ReservePort } from './reservation.ts';

/** The container a port is published for. */
export interface PortTarget {
  readonly ipv4?: string;
  readonly ipv6?: string;
}

const isAny = (hostIp: string): boolean => hostIp === '0.0.0.0' || hostIp === '::';
const keyOf = (protocol: PortProtocol, port: number): string => `${protocol} ${port}`;
const addressText = (hostIp: string): string => (isIPv4(hostIp) ? hostIp : `[${hostIp}]`);

/** The host ports that containers of this engine have. */
export class PortTable {
  readonly #reserve: ReservePort;
  readonly #taken = new Map<string, Map<string, Reservation>>();
  #nextEphemeral = 0;

  constructor(reserve: ReservePort) {
    this.#reserve = reserve;
  }

  /** Takes all the ports asked for, or none. `defaultHostIps`: what a wish for no certain address means. */
  async allocate(
    requests: readonly PortBindingRequest[],
    target: PortTarget,
    defaultHostIps: readonly string[],
  ): Promise<PublishedPort[]> {
    const done: PublishedPort[] = [];
    try {
      // Ports named exactly go first, so that none of them is taken by one of our own choice.
      const order = [...requests].sort((a, b) => Number(isFree(a)) - Number(isFree(b)));
      for (const request of order) done.push(...(await this.#allocateOne(request, target, defaultHostIps)));
    } catch (err) {
      this.release(done);
      throw err;
    }
    return done;
  }

  /** Takes ports that a container has already (after a restart of the daemon); says which of them somebody else has now. */
  async adopt(ports: readonly PublishedPort[], target: PortTarget): Promise<{ port: PublishedPort; error: Error }[]> {
    const failures: { port: PublishedPort; error: Error }[] = [];
    for (const port of ports) {
      if (port.hostPort === 0) continue; // routed: no port of the host
      try {
        this.#note(port, await this.#bind(port, target));
      } catch (error) {
        this.#note(port, { release: () => {} });
        failures.push({ port, error: error as Error });
      }
    }
    return failures;
  }

  release(ports: readonly PublishedPort[]): void {
    for (const { protocol, hostIp, hostPort } of ports) {
      const key = keyOf(protocol, hostPort);
      const holders = this.#taken.get(key);
      holders?.get(hostIp)?.release();
      holders?.delete(hostIp);
      if (holders?.size === 0) this.#taken.delete(key);
    }
  }

  /** Releases everything, when the daemon ends. */
  close(): void {
    for (const holders of this.#taken.values()) for (const held of holders.values()) held.release();
    this.#taken.clear();
  }

  async #allocateOne(
    request: PortBindingRequest,
    target: PortTarget,
    defaultHostIps: readonly string[],
  ): Promise<PublishedPort[]> {
    const hostIps = request.hostIp === '' ? defaultHostIps : [request.hostIp];
    if (hostIps.length === 0) return [];
    let failure: unknown = new Internal('no free port');
    for (const hostPort of this.#candidates(request)) {
      try {
        return await this.#allocateOn(request, target, hostIps, hostPort);
      } catch (err) {
        failure = err;
      }
    }
    throw failure;
  }

  async #allocateOn(
    request: PortBindingRequest,
    target: PortTarget,
    hostIps: readonly string[],
    hostPort: number,
  ): Promise<PublishedPort[]> {
    const done: PublishedPort[] = [];
    try {
      for (const hostIp of hostIps) {
        const port = { containerPort: request.containerPort, protocol: request.protocol, hostIp, hostPort };
        if (this.#isTaken(port)) {
          throw new Internal(`Bind for ${addressText(hostIp)}:${hostPort} failed: port is already allocated`);
        }
        // Noted before it is bound: another container may ask for it meanwhile.
        this.#note(port, { release: () => {} });
        done.push(port);
        try {
          this.#note(port, await this.#bind(port, target));
        } catch (err) {
          // Of "every address" the IPv6 half is missing where the machine has none.
          if (!(hostIp === '::' && hostIps.length > 1 && isWithoutIPv6(err))) throw bindError(port, target, err);
          this.release([done.pop() as PublishedPort]);
        }
      }
    } catch (err) {
      this.release(done);
      throw err;
    }
    return done;
  }

  #candidates(request: PortBindingRequest): Iterable<number> {
    if (isFree(request)) return this.#ephemeral();
    return range(request.hostPortStart, request.hostPortEnd);
  }

  *#ephemeral(): Iterable<number> {
    const [first, last] = ephemeralRange();
    for (let tries = 0; tries < 64; tries++) {
      if (this.#nextEphemeral < first || this.#nextEphemeral > last) this.#nextEphemeral = first;
      yield this.#nextEphemeral++;
    }
  }

  #isTaken({ protocol, hostIp, hostPort }: PublishedPort): boolean {
    const holders = this.#taken.get(keyOf(protocol, hostPort));
    if (holders === undefined) return false;
    const sameFamily = [...holders.keys()].filter(other => isIPv4(other) === isIPv4(hostIp));
    return sameFamily.some(other => other === hostIp || isAny(other) || isAny(hostIp));
  }

  #note(port: PublishedPort, reservation: Reservation): void {
    const key = keyOf(port.protocol, port.hostPort);
    const holders = this.#taken.get(key) ?? new Map<string, Reservation>();
    holders.set(port.hostIp, reservation);
    this.#taken.set(key, holders);
  }

  #bind(port: PublishedPort, target: PortTarget): Promise<Reservation> {
    return this.#reserve(port.protocol, port.hostIp, port.hostPort, proxyTarget(port, target));
  }
}

const isFree = (request: PortBindingRequest): boolean => request.hostPortStart === 0;

function* range(first: number, last: number): Iterable<number> {
  for (let port = first; port <= last; port++) yield port;
}

/** Where the proxy sends what the kernel did not: the same family if the container has it, else the other. */
function proxyTarget(port: PublishedPort, target: PortTarget): ReservationTarget {
  const address = isIPv4(port.hostIp) ? (target.ipv4 ?? target.ipv6) : (target.ipv6 ?? target.ipv4);
  return { address: address ?? '127.0.0.1', port: port.containerPort };
}

const isWithoutIPv6 = (err: unknown): boolean => {
  const { code } = err as NodeJS.ErrnoException;
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
};

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EACCES: 'permission denied',
};

function bindError(port: PublishedPort, target: PortTarget, err: unknown): Internal {
  const { code = '', message } = err as NodeJS.ErrnoException;
  const to = proxyTarget(port, target);
  const where = `${addressText(port.hostIp)}:${port.hostPort}:${addressText(to.address)}:${to.port}/${port.protocol}`;
  // Without the cause: these words stand for it, and clients look for them at the end.
  return new Internal(`failed to bind host port for ${where}: ${reasons[code] ?? message}`);
}

/** net.ipv4.ip_local_port_range, as Docker chooses from it. */
function ephemeralRange(): [number, number] {
  try {
    const [first, last] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
      .trim()
      .split(/\s+/)
      .map(Number);
    if (first !== undefined && last !== undefined && first > 0 && last >= first) return [first, last];
  } catch {
    // not readable: the range that IANA gives for it
  }
  return [49153, 65535];
}
