// Names and numbers that nobody cares about, as long as they are unique.

import { randomBytes, randomInt } from 'node:crypto';
import { encodeAddress } from '../netlink/index.ts';

/** 64 hexadecimal digits, the id of a network or an endpoint. */
export const newId = (): string => randomBytes(32).toString('hex');

/** The device of a user-defined network, as Docker names it. */
export const bridgeNameOf = (networkId: string): string => `br-${networkId.slice(0, 12)}`;

export const newVethName = (): string => `veth${randomBytes(4).toString('hex').slice(0, 7)}`;

/**
 * The hardware address of an endpoint: 02:42 and its IPv4 address. Docker did so up to 27. An address that comes back with
 * another container then needs no repair of anyone's ARP cache.
 */
export function hardwareAddressOf(ipv4: string | undefined): string {
  const bytes = ipv4 === undefined ? randomBytes(4) : encodeAddress(ipv4);
  return ['02', '42', ...Array.from(bytes, byte => byte.toString(16).padStart(2, '0'))].join(':');
}

/**
 * Numbers for devices. The kernel gives out small ones in a row; ours begin at a random place far above, so that neither it
 * nor another engine on the machine comes near.
 */
export class InterfaceNumbers {
  #next = randomInt(1 << 20, 1 << 30);

  take(): number {
    const number = this.#next;
    this.#next = number >= 0x7fff0000 ? 1 << 20 : number + 1;
    return number;
  }

  /** Goes on behind a number that is in use already. */
  skip(number: number): void {
    if (number >= this.#next && number < this.#next + 1024) this.#next = number + 1;
  }
}
