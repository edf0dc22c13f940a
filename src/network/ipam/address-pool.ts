import { Conflict, InvalidArgument, ResourceExhausted } from '../../errdefs/index.ts';
import { contains, formatAddress, formatPrefix, hostBits, lastAddress, type Prefix, parseAddress } from './prefix.ts';

/** How long an address that was given back is left alone while others are free: its veth may still be about to go. */
const restMs = 2000;

/**
 * The addresses of one subnet. Only what is taken is kept, so that a /64 costs no more than a /24. The next free address is
 * looked for behind the last one given out: an address just released is the last to come back.
 */
export class AddressPool {
  readonly subnet: Prefix;
  readonly #range: Prefix;
  readonly #taken = new Set<bigint>();
  readonly #resting = new Map<bigint, number>();
  #next: bigint;

  constructor(subnet: Prefix, range: Prefix = subnet) {
    this.subnet = subnet;
    this.#range = range;
    this.#next = range.base;
  }

  /** Takes a certain address; Conflict when it is in use, InvalidArgument when it is not of this subnet. */
  reserve(address: string): void {
    const { bits, value } = parseAddress(address);
    if (!contains(this.subnet, value, bits)) {
      throw new InvalidArgument(`invalid address ${address}: It does not belong to any of this network's subnets`);
    }
    if (this.#taken.has(value)) throw new Conflict('Address already in use');
    this.#taken.add(value);
    this.#resting.delete(value);
  }

  /** The next free address; ResourceExhausted when there is none. */
  allocate(): string {
    const now = Date.now();
    const value = this.#find(candidate => !this.#isResting(candidate, now)) ?? this.#find(() => true);
    if (value === undefined) {
      throw new ResourceExhausted(`no available addresses in ${formatPrefix(this.#range)}: all are in use`);
    }
    this.#taken.add(value);
    this.#resting.delete(value);
    this.#next = value + 1n;
    return formatAddress(value, this.subnet.bits);
  }

  release(address: string): void {
    const { value } = parseAddress(address);
    if (!this.#taken.delete(value)) return;
    this.#resting.set(value, Date.now());
  }

  get taken(): number {
    return this.#taken.size;
  }

  has(address: string): boolean {
    return this.#taken.has(parseAddress(address).value);
  }

  #find(wanted: (value: bigint) => boolean): bigint | undefined {
    const last = lastAddress(this.#range);
    const from = this.#next > last ? this.#range.base : this.#next;
    return this.#findBetween(from, last, wanted) ?? this.#findBetween(this.#range.base, from - 1n, wanted);
  }

  #findBetween(first: bigint, last: bigint, wanted: (value: bigint) => boolean): bigint | undefined {
    for (let value = first; value <= last; value++) {
      if (!this.#taken.has(value) && this.#isHost(value) && wanted(value)) return value;
    }
    return undefined;
  }

  #isResting(value: bigint, now: number): boolean {
    const since = this.#resting.get(value);
    if (since === undefined) return false;
    if (now - since < restMs) return true;
    this.#resting.delete(value);
    return false;
  }

  /** Not the network's own address, nor its broadcast address; a /31, /127 and smaller has neither. */
  #isHost(value: bigint): boolean {
    if (hostBits(this.subnet) <= 1n) return true;
    if (value === this.subnet.base) return false;
    return this.subnet.bits === 128 || value !== lastAddress(this.subnet);
  }
}
