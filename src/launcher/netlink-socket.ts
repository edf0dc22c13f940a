import { native } from './native.ts';

/**
 * A netlink socket for requests. It stays in the network namespace it was opened in. Not for events: those come to a
 * `NetlinkMonitor`, so that answers and events never mix.
 */
export class NetlinkSocket implements Disposable {
  readonly #fd: number;
  #closed = false;

  /** `protocol`: 0 NETLINK_ROUTE, 12 NETLINK_NETFILTER ...; `netnsFd`: a descriptor of the namespace meant, ours by default. */
  constructor(protocol: number, netnsFd?: number) {
    this.#fd = netnsFd === undefined ? native().openNetlink(protocol) : native().openNetlink(protocol, netnsFd);
  }

  /** Sends messages at once, answers all replies. Messages that failed are NLMSG_ERROR among them. */
  request(messages: Uint8Array): Uint8Array {
    return native().netlinkRequest(this.#fd, messages);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    native().close(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A netlink socket that joined multicast groups. Node cannot wait for it, so its owner asks now and then. */
export class NetlinkMonitor implements Disposable {
  readonly #fd: number;
  #closed = false;

  constructor(protocol: number, groups: readonly number[], netnsFd?: number) {
    this.#fd = netnsFd === undefined ? native().openNetlink(protocol) : native().openNetlink(protocol, netnsFd);
    try {
      for (const group of groups) native().netlinkJoin(this.#fd, group);
    } catch (error) {
      native().close(this.#fd);
      throw error;
    }
  }

  /** What has arrived since, or null. Throws ENOBUFS when events were lost. */
  receive(): Uint8Array | null {
    return native().netlinkReceive(this.#fd);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    native().close(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
