import {
  addElements,
  decodeElements,
  decodeGeneration,
  decodeTable,
  deleteElements,
  deleteTable,
  familyOf,
  forgetConnections,
  getGeneration,
  isNetlinkError,
  listElements,
  listTables,
  type NetlinkClient,
  type NetlinkMessage,
  nft,
  type SetElement,
  type TableRef,
  transaction,
} from '../../netlink/index.ts';
import {
  bridgeElements,
  type Elements,
  type FirewallBridge,
  type FirewallPort,
  merge,
  portElements,
  protocolNumber,
} from './elements.ts';
import { type ForeignChain, findDroppingChains, isIptables, legacyTrouble, letThrough } from './foreign.ts';
import { createTable, tableRef } from './table.ts';

const portKey = (port: FirewallPort): string =>
  `${port.protocol} ${port.hostIp} ${port.hostPort} ${port.routed ? `${port.target} ${port.containerPort}` : ''}`;

const elementKey = (set: string, { key, keyEnd }: SetElement): string =>
  `${set} ${Buffer.from(key).toString('hex')} ${Buffer.from(keyEnd ?? []).toString('hex')}`;

/**
 * Keeps our table as the networks and ports want it. Each call is one transaction: all of it is in force when the call
 * returns, or nothing is. The table belongs to us alone; when somebody took it away (`nft flush ruleset`) the next call, or
 * `heal`, makes it anew from what is known here.
 */
export class Firewall {
  readonly #client: NetlinkClient;
  readonly #ref: TableRef;
  readonly #bridges = new Map<number, FirewallBridge>();
  readonly #ports = new Map<string, FirewallPort>();
  readonly #others = new Map<string, { set: string; element: SetElement }>();
  #inForce = false;
  #tableFlags: number;
  #generation = -1;

  /** `owned`: as far as Linux can, the table belongs to this client's socket: `nft flush ruleset` and firewall reloads leave it alone, and it stays when the socket closes. */
  constructor(client: NetlinkClient, table: string, owned = true) {
    this.#tableFlags = owned ? nft.tableFlag.owner | nft.tableFlag.persist : 0;
    this.#client = client;
    this.#ref = tableRef(table);
  }

  /** Puts the table in force as a whole, whatever was there under its name. Tracked connections live on. */
  reset(bridges: readonly FirewallBridge[], ports: readonly FirewallPort[], others: Elements = {}): void {
    this.#others.clear();
    for (const [set, list] of Object.entries(others))
      for (const element of list) this.#others.set(elementKey(set, element), { set, element });
    this.#bridges.clear();
    this.#ports.clear();
    for (const bridge of bridges) this.#bridges.set(bridge.index, bridge);
    for (const port of ports) this.#ports.set(portKey(port), port);
    this.#rebuild();
  }

  addBridge(bridge: FirewallBridge): void {
    const before = this.#bridges.get(bridge.index);
    this.#bridges.set(bridge.index, bridge);
    const removed = before === undefined ? {} : bridgeElements(before);
    this.#change(removed, bridgeElements(bridge));
  }

  removeBridge(index: number): void {
    const bridge = this.#bridges.get(index);
    if (bridge === undefined) return;
    this.#bridges.delete(index);
    if (this.#bridges.size === 0) this.removeTable();
    else this.#change(bridgeElements(bridge), {});
  }

  publish(ports: readonly FirewallPort[]): void {
    if (ports.length === 0) return;
    for (const port of ports) this.#ports.set(portKey(port), port);
    this.#change({}, merge(ports.map(portElements)));
    this.#forgetUdp(ports);
  }

  unpublish(ports: readonly FirewallPort[]): void {
    const known = ports.filter(port => this.#ports.delete(portKey(port)));
    if (known.length === 0) return;
    this.#change(merge(known.map(portElements)), {});
    this.#forgetUdp(known);
  }

  /** Elements of other sets than those of bridges and ports. */
  add(elements: Elements): void {
    for (const [set, list] of Object.entries(elements))
      for (const element of list) this.#others.set(elementKey(set, element), { set, element });
    this.#change({}, elements);
  }

  remove(elements: Elements): void {
    for (const [set, list] of Object.entries(elements))
      for (const element of list) this.#others.delete(elementKey(set, element));
    this.#change(elements, {});
  }

  /** An element that the kernel forgets after its time; given again, its time begins anew. */
  addForATime(set: string, element: SetElement): void {
    const ref = { ...this.#ref, name: set };
    const { timeoutMs: _, ...plain } = element;
    const add = addElements(ref, [element]);
    try {
      this.#commit([...deleteElements(ref, [plain]), ...add]);
    } catch (err) {
      if (!isNetlinkError(err, 'ENOENT')) throw err;
      this.#commit(add);
    }
  }

  /** What is in a set now. */
  elementsOf(set: string): SetElement[] {
    if (!this.#inForce) return [];
    return this.#client.dump(listElements({ ...this.#ref, name: set })).flatMap(decodeElements);
  }

  /** Is the table there? Its contents are nobody's but ours, so that this is all that can be wrong. */
  isInForce(): boolean {
    return this.#client.dump(listTables()).some(answer => {
      const { family, table } = decodeTable(answer);
      return family === nft.tableFamily[this.#ref.family] && table === this.#ref.table;
    });
  }

  /** Has anybody else changed any table since this was asked last? Costs next to nothing. */
  hasChanged(): boolean {
    const [answer] = this.#client.send([getGeneration()]);
    const generation = answer === undefined ? 0 : decodeGeneration(answer);
    const changed = generation !== this.#generation;
    this.#generation = generation;
    return changed;
  }

  /** Makes the table again when it is gone; true when it was. */
  heal(): boolean {
    if (!this.#inForce || this.isInForce()) return false;
    this.#rebuild();
    return true;
  }

  /** Chains of others that guard this machine itself: published ports go round them. */
  droppingInputChains(): ForeignChain[] {
    return findDroppingChains(this.#client, this.#ref.table, nft.hook.input);
  }

  /** Gets these bridges past the firewalls of others; what could not be done, in words. */
  passOthers(bridges: readonly string[]): string[] {
    const blocked = bridges.length === 0 ? [] : legacyTrouble();
    for (const chain of findDroppingChains(this.#client, this.#ref.table)) {
      if (isIptables(chain)) {
        const messages = letThrough(this.#client, chain, bridges);
        if (messages.length > 0) this.#commit(messages);
      } else {
        blocked.push(
          `chain ${chain.chain} of nf_tables table ${chain.family} ${chain.table} drops forwarded packets by policy: containers reach the outside only as far as its rules allow`,
        );
      }
    }
    return blocked;
  }

  /** Takes the table away. */
  removeTable(): void {
    this.#inForce = false;
    if (this.isInForce()) this.#commit([deleteTable(this.#ref)]);
  }

  /** One transaction. Each that succeeds raises the kernel's number by one: so those of others can be told from ours. */
  #commit(messages: readonly NetlinkMessage[]): void {
    this.#client.send(transaction(messages));
    if (this.#generation >= 0) this.#generation = (this.#generation + 1) >>> 0;
  }

  #change(removed: Elements, added: Elements): void {
    const inSet = (name: string) => ({ ...this.#ref, name });
    const messages = [
      ...Object.entries(removed).flatMap(([name, list]) => deleteElements(inSet(name), list)),
      ...Object.entries(added).flatMap(([name, list]) => addElements(inSet(name), list)),
    ];
    if (messages.length === 0) return;
    if (!this.#inForce) {
      this.#rebuild();
      return;
    }
    try {
      this.#commit(messages);
    } catch (err) {
      // Not as we left it: somebody flushed or edited it.
      if (!isNetlinkError(err, 'ENOENT', 'EEXIST')) throw err;
      this.#rebuild();
    }
  }

  #rebuild(): void {
    // Without a bridge there is nothing to guard: the table goes with the last network.
    if (this.#bridges.size === 0) {
      this.removeTable();
      return;
    }
    const elements = merge([
      ...[...this.#bridges.values()].map(bridgeElements),
      ...[...this.#ports.values()].map(portElements),
      ...[...this.#others.values()].map(({ set, element }) => ({ [set]: [element] })),
    ]);
    const messages = (): NetlinkMessage[] => [
      ...(this.isInForce() ? [deleteTable(this.#ref)] : []),
      ...createTable(this.#ref, this.#tableFlags),
      ...Object.entries(elements).flatMap(([name, list]) => addElements({ ...this.#ref, name }, list)),
    ];
    try {
      this.#commit(messages());
    } catch (err) {
      // Linux before 6.9: then the table lives as everybody's, and is made again when somebody flushes it.
      if (this.#tableFlags === 0 || !isNetlinkError(err, 'EOPNOTSUPP', 'ENOTSUP', 'EINVAL')) throw err;
      this.#tableFlags = 0;
      this.#commit(messages());
    }
    this.#inForce = true;
  }

  /** A stream of UDP packets keeps the way its first packet took; it must look again when a port comes or goes. */
  #forgetUdp(ports: readonly FirewallPort[]): void {
    const messages = ports
      .filter(port => port.protocol === 'udp' && !port.routed)
      .map(port =>
        forgetConnections({
          family: familyOf(port.target),
          protocol: protocolNumber.udp,
          destinationPort: port.hostPort,
        }),
      );
    if (messages.length > 0) this.#client.exchange(messages); // nothing to forget is fine, and so is a kernel that cannot
  }
}
