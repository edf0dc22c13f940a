// The kernel's side of the host's network namespace, as this part uses it: two netlink sockets and a few sysctls.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { FailedPrecondition, Internal, InvalidArgument } from '../errdefs/index.ts';
import { NetlinkSocket, runProgram } from '../launcher/index.ts';
import {
  addAddress,
  createLink,
  decodeInterfaceAddress,
  decodeLink,
  decodeRoute,
  deleteAddress,
  deleteLink,
  encodeMessage,
  getLink,
  type InterfaceAddress,
  isNetlinkError,
  type Link,
  type LinkSettings,
  listAddresses,
  listRoutes,
  NetlinkClient,
  protocol,
  type Route,
  setLink,
} from '../netlink/index.ts';

/** Opens the conversation with one part of the kernel, in our namespace or the one of an open file. */
export const openClient = (which: keyof typeof protocol, netnsFd?: number): NetlinkClient =>
  new NetlinkClient(new NetlinkSocket(protocol[which], netnsFd));

/** Written on devices that we made, so that none of somebody else's is ever removed. */
const ourAlias = 'berth';
export const isOurs = (link: Link): boolean => link.alias === ourAlias;

export class Kernel implements Disposable {
  readonly route: NetlinkClient;
  readonly netfilter: NetlinkClient;

  constructor() {
    this.route = openClient('route');
    this.netfilter = openClient('netfilter');
  }

  link(which: { name: string } | { index: number }): Link | undefined {
    try {
      const [answer] = this.route.send([getLink(which)]);
      return answer === undefined ? undefined : decodeLink(answer);
    } catch (err) {
      if (isNetlinkError(err, 'ENODEV')) return undefined;
      throw err;
    }
  }

  links(): Link[] {
    return this.route.dump(getLink()).map(decodeLink);
  }

  routes(): Route[] {
    return this.route.dump(listRoutes()).map(decodeRoute);
  }

  /** The first IPv4 address of a device, `172.17.0.1/16`; undefined when there is none, or no such device. */
  addressOf(name: string): string | undefined {
    const index = this.link({ name })?.index;
    if (index === undefined) return undefined;
    const found = this.#addresses(index).find(({ address }) => !address.includes(':'));
    return found === undefined ? undefined : `${found.address}/${found.prefixLength}`;
  }

  /** Addresses of a device but link-local ones. */
  #addresses(index: number): InterfaceAddress[] {
    return this.route
      .dump(listAddresses())
      .map(decodeInterfaceAddress)
      .filter(address => address.index === index && address.scope !== 253);
  }

  /**
   * Makes a bridge with its addresses, or takes one that is there; its number. A bridge that somebody else made may have more
   * addresses than these, one of ours may not.
   */
  ensureBridge(settings: LinkSettings & { name: string }, addresses: readonly string[]): number {
    const { name, mtu } = settings;
    const present = this.link({ name });
    if (present !== undefined && present.kind !== 'bridge') {
      throw new InvalidArgument(`device ${name} is not a bridge`);
    }
    if (present === undefined) this.route.send([createLink({ ...settings, up: true }, { kind: 'bridge' })]);
    const link = present ?? this.link({ name });
    if (link === undefined) throw new Internal(`bridge ${name} is gone again`);
    const { index } = link;
    if (present === undefined) this.route.send([setLink({ index, alias: ourAlias })]);
    else if (!link.up || (mtu !== undefined && link.mtu !== mtu)) {
      this.route.send([setLink({ index, up: true, ...(mtu !== undefined && { mtu }) })]);
    }
    this.#setAddresses(index, addresses, present === undefined || isOurs(link));
    return index;
  }

  /** Gives a device these addresses (`10.0.0.1/24`); `only` takes others away, but for link-local ones. */
  #setAddresses(index: number, wanted: readonly string[], only: boolean): void {
    const present = this.#addresses(index);
    const text = (a: { address: string; prefixLength: number }) => `${a.address}/${a.prefixLength}`;
    const surplus = only ? present.filter(address => !wanted.includes(text(address))) : [];
    const missing = wanted.filter(address => !present.some(have => text(have) === address));
    const messages = [
      ...surplus.map(deleteAddress),
      ...missing.map(address => {
        const [ip = '', length] = address.split('/');
        // No duplicate detection (0x02): an IPv6 gateway must answer at once.
        const flags = ip.includes(':') ? { flags: 0x02 } : {};
        return addAddress({ index, address: ip, prefixLength: Number(length), ...flags }, { replace: true });
      }),
    ];
    if (messages.length > 0) this.route.send(messages);
  }

  /** Removes a bridge that we made; any other stays. */
  async removeBridge(name: string): Promise<void> {
    const link = this.link({ name });
    if (link !== undefined && link.kind === 'bridge' && isOurs(link)) await this.removeLink({ index: link.index });
  }

  /** Makes the kernel finish its work on devices whose carrier has changed; see `NetworkController.settle`. */
  settle(indexes: readonly number[]): void {
    // One at a time: a bridge has work to do when that on its port is done. A device that is gone needs none.
    for (const index of indexes) this.route.exchange([getLink({ index })]);
  }

  /**
   * Removes a device; one that is gone already is fine. Linux waits 20 to 40 ms before it answers that, and with it whoever asked:
   * a launcher asks in our stead.
   */
  async removeLink(which: { name: string } | { index: number }): Promise<void> {
    const message = deleteLink(which);
    const op = {
      op: 'netlink',
      protocol: protocol.route,
      messages: encodeMessage(message),
      why: message.what,
    } as const;
    await runProgram([{ ...op, tolerate: ['ENODEV'] }], { stdio: [-1, -1, -1] });
  }

  /** Writes a sysctl below /proc/sys/net, unless it has the value already; false where the kernel has no such file. */
  sysctl(path: string, value: string): boolean {
    const file = `/proc/sys/net/${path}`;
    try {
      if (readFileSync(file, 'utf8').trim() !== value) writeFileSync(file, value);
      return true;
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw err;
    }
  }

  /**
   * Turns on forwarding of IPv6. A machine that forwards takes no addresses and routes from routers any more, unless its
   * interfaces are told to: the machine's own connection must not be lost by this.
   */
  forwardIPv6(): void {
    if (!existsSync('/proc/sys/net/ipv6'))
      throw new FailedPrecondition('IPv6 is switched off in the kernel of this machine');
    if (readFileSync('/proc/sys/net/ipv6/conf/all/forwarding', 'utf8').trim() === '1') return;
    for (const name of readdirSync('/proc/sys/net/ipv6/conf')) {
      if (name === 'all' || name === 'default' || name === 'lo') continue;
      const file = `/proc/sys/net/ipv6/conf/${name}/accept_ra`;
      if (existsSync(file) && readFileSync(file, 'utf8').trim() === '1') writeFileSync(file, '2');
    }
    this.sysctl('ipv6/conf/all/forwarding', '1');
  }

  [Symbol.dispose](): void {
    this.route.close();
    this.netfilter.close();
  }
}
