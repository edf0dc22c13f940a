// The codecs of src/netlink against the kernel: what it tells of what we made is decoded, encoded and told to it again, and must come
// back the same.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  addAddress,
  addChain,
  addElements,
  addRoute,
  addRule,
  addTable,
  createLink,
  type DecodedExpression,
  decodeAddress,
  decodeElements,
  decodeInterfaceAddress,
  decodeLink,
  decodeRoute,
  decodeRule,
  deleteLink,
  deleteRoute,
  type Expression,
  getLink,
  listAddresses,
  listElements,
  listRoutes,
  listRules,
  nft,
  type SetElement,
  setBridgePort,
  setLink,
  transaction,
} from '../netlink/index.ts';
import { Random } from '../netlink/testing/random.ts';
import { bridgeElements, merge, portElements } from './firewall/elements.ts';
import { Firewall } from './firewall/firewall.ts';
import { setName } from './firewall/set-names.ts';
import { createTable, tableRef } from './firewall/table.ts';
import { formatAddress, parseAddress, parsePrefix, prefixOf } from './ipam/prefix.ts';
import { Kernel } from './kernel.ts';
import { leaveTheMachine } from './testing/world.ts';

const random = new Random(7);
let kernel: Kernel;

before(() => {
  leaveTheMachine();
  kernel = new Kernel();
});

test('devices', () => {
  for (let round = 0; round < 20; round++) {
    const index = 10_000 + 2 * round;
    const bridge = {
      name: `b${round}`,
      index: index + 1000,
      mtu: 1280 + random.below(200),
      hardwareAddress: '02:00:00:00:00:01',
    };
    const mtu = 1280 + random.below(220);
    const up = random.below(2) === 0;
    const host = { name: `v${round}`, index, mtu, master: bridge.index, up };
    const peer = { name: `p${round}`, index: index + 1, mtu, hardwareAddress: '02:00:00:00:00:02' };
    kernel.route.send([
      createLink({ ...bridge, up: true }, { kind: 'bridge' }),
      createLink(host, { kind: 'veth', peer }),
      setBridgePort(index, { isolated: true, hairpin: true }),
    ]);
    const made = kernel.route.dump(getLink()).map(decodeLink);
    const find = (name: string) => made.find(link => link.name === name);
    const { flags: _, hardwareAddress: __, ...veth } = find(host.name)!;
    assert.deepEqual(veth, { ...host, kind: 'veth', lowerLink: index + 1 });
    assert.equal(find(peer.name)?.hardwareAddress, peer.hardwareAddress);
    assert.equal(find(bridge.name)?.kind, 'bridge');
    kernel.route.send([
      setLink({ index, up: !up }),
      deleteLink({ name: host.name }),
      deleteLink({ index: bridge.index }),
    ]);
    assert.equal(kernel.link({ name: host.name }), undefined);
  }
});

test('addresses and routes', () => {
  for (let round = 0; round < 100; round++) {
    const four = random.below(2) === 0;
    // Global unicast of either family, whatever the other bits are.
    const bytes = four
      ? Uint8Array.of(10, ...random.bytes(3))
      : Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, ...random.bytes(12));
    const length = four ? 9 + random.below(23) : 33 + random.below(95);
    const { value, bits } = parseAddress(decodeAddress(bytes));
    const prefix = prefixOf(value, bits, length);
    const address = { index: 500, address: decodeAddress(bytes), prefixLength: length, flags: 0x02 | 0x200, scope: 0 };
    kernel.route.send([addAddress(address, { replace: true })]);
    const addresses = kernel.route.dump(listAddresses()).map(decodeInterfaceAddress);
    const found = addresses.find(({ address: text }) => text === address.address);
    assert.deepEqual([found?.index, found?.prefixLength], [500, length]);
    const route = {
      family: four ? 2 : 10,
      destination: formatAddress(prefix.base, bits),
      prefixLength: length,
      gateway: four ? '192.0.2.1' : '2001:db8::1',
      link: 500,
      metric: 1 + random.below(100_000),
      table: 1000 + round,
      type: 1,
    };
    kernel.route.send([addRoute(route)]);
    const routes = () => kernel.route.dump(listRoutes()).map(decodeRoute);
    assert.deepEqual(
      routes().filter(({ table }) => table === route.table),
      [route],
    );
    kernel.route.send([deleteRoute(route)]);
    assert.deepEqual(
      routes().filter(({ table }) => table === route.table),
      [],
    );
  }
});

/** For comparing: bytes as numbers, and without what the kernel adds that says nothing. */
function plain(expression: DecodedExpression): unknown {
  const entries = Object.entries(expression).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([key, value]) => [
      key,
      value instanceof Uint8Array
        ? Buffer.from(value).toString('hex')
        : String(JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}` : v))),
    ]),
  );
}

test('every rule of our own table', () => {
  const [first, second] = [tableRef('berth-one'), tableRef('berth-two')];
  kernel.netfilter.send(transaction(createTable(first, 0)));
  const told = kernel.netfilter.dump(listRules(first)).map(decodeRule);
  assert.ok(told.length > 40);
  assert.ok(told.every(({ expressions }) => expressions.every(({ kind }) => kind !== 'unknown')));
  // The same table once more, its rules made of what the kernel told.
  const rules = told.map(({ chain, expressions, comment }) =>
    addRule({ ...second, chain, expressions: expressions as Expression[], ...(comment !== undefined && { comment }) }),
  );
  const skeleton = createTable(second, 0).filter(({ what }) => !what.startsWith('add rule'));
  kernel.netfilter.send(transaction([...skeleton, ...rules]));
  const again = kernel.netfilter.dump(listRules(second)).map(decodeRule);
  assert.deepEqual(
    again.map(({ chain, comment, expressions }) => [chain, comment, expressions.map(plain)]),
    told.map(({ chain, comment, expressions }) => [chain, comment, expressions.map(plain)]),
  );
});

test('elements of every set and map', () => {
  const [first, second] = [tableRef('berth-one'), tableRef('berth-two')];
  const ports = Array.from({ length: 700 }, (_, i) => ({
    protocol: (['tcp', 'udp', 'sctp'] as const)[i % 3]!,
    containerPort: 1 + random.below(65535),
    hostIp: ['0.0.0.0', '::', '127.0.0.1', '2001:db8::2'][i % 4]!,
    hostPort: i + 1,
    target: i % 2 === 0 ? `10.0.${i >> 8}.${i & 255}` : `fd00::${i.toString(16)}`,
    routed: i % 7 === 0,
  }));
  const bridge = {
    index: 12345,
    name: 'x',
    internal: true,
    restricted: true,
    masquerade4: true,
    masquerade6: true,
    unprotected: true,
    sourceAddress4: '192.0.2.9',
    subnets: [parsePrefix('10.0.0.0/8'), parsePrefix('fd00::/64')],
  };
  const elements = merge([bridgeElements(bridge), ...ports.map(portElements)]);
  const add = (table: typeof first, all: typeof elements) =>
    kernel.netfilter.send(
      transaction(Object.entries(all).flatMap(([name, list]) => addElements({ ...table, name }, list))),
    );
  const dump = (table: typeof first, name: string): SetElement[] =>
    kernel.netfilter.dump(listElements({ ...table, name })).flatMap(decodeElements);
  const text = (list: readonly SetElement[]) =>
    list
      .map(({ key, keyEnd, data }) =>
        [key, keyEnd, data].map(part => Buffer.from(part ?? []).toString('hex')).join(' '),
      )
      .toSorted();
  add(first, elements);
  for (const [name, list] of Object.entries(elements)) {
    const told = dump(first, name);
    assert.deepEqual(text(told), text(list), name);
    add(second, { [name]: told });
    assert.deepEqual(text(dump(second, name)), text(told), `${name} again`);
  }
  assert.ok(Object.keys(elements).includes(setName.publishedAt6));
});

test('changes of our own are told from those of others', () => {
  using other = new Kernel();
  const firewall = new Firewall(kernel.netfilter, 'berth-own');
  const bridge = {
    index: 77,
    name: 'x',
    internal: false,
    restricted: false,
    masquerade4: true,
    masquerade6: false,
    unprotected: false,
    subnets: [],
  };
  const port = {
    protocol: 'udp',
    containerPort: 80,
    hostIp: '0.0.0.0',
    hostPort: 80,
    target: '10.0.0.2',
    routed: false,
  } as const;
  firewall.reset([bridge], []);
  firewall.hasChanged();
  firewall.publish([port]);
  firewall.unpublish([port]);
  firewall.addBridge({ ...bridge, index: 78 });
  assert.equal(firewall.hasChanged(), false);
  other.netfilter.send(transaction([addTable({ family: 'ip', table: 'theirs' })]));
  assert.equal(firewall.hasChanged(), true);
  assert.equal(firewall.hasChanged(), false);
  firewall.removeTable();
  assert.equal(firewall.hasChanged(), false);
});

test('a batch with one bad message changes nothing, and the bad one is named', () => {
  const ref = { family: 'inet', table: 'berth-bad' } as const;
  const rule = addRule({ ...ref, chain: 'nowhere', expressions: [] });
  assert.throws(() => kernel.netfilter.send(transaction([addTable(ref), rule])), {
    name: 'NotFound',
    message: /^add rule berth-bad nowhere: ENOENT/,
  });
  assert.throws(() => kernel.netfilter.send(transaction([addChain({ ...ref, name: 'c' })])), { code: 'NotFound' });
  assert.equal(nft.verdict.accept, 1);
});
