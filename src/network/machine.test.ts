// In the network namespace of the machine itself: what an engine makes there is found, works, and is gone afterwards.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeTable, listTables } from '../netlink/index.ts';
import { Kernel } from './kernel.ts';
import { LocalNetworkController } from './local-controller.ts';
import { MemoryNetworkStore } from './network.ts';
import { callFromHere, TestContainer } from './testing/world.ts';

test('the table comes with the first network and goes with the last', async () => {
  const controller = new LocalNetworkController({
    store: new MemoryNetworkStore(),
    bridge: 'none',
    table: 'berth-nwtest',
    engineId: 'test',
  });
  using kernel = new Kernel();
  const tables = () =>
    kernel.netfilter.dump(listTables()).filter(answer => decodeTable(answer).table === 'berth-nwtest').length;
  try {
    await controller.restore([]);
    assert.equal(tables(), 0);
    await controller.createNetwork({ name: 'a', options: { 'berth.egress': 'deny' } });
    await controller.createNetwork({ name: 'b' });
    assert.equal(tables(), 1);
    await controller.removeNetwork('a');
    assert.equal(tables(), 1);
    await controller.removeNetwork('b');
    assert.equal(tables(), 0);
    assert.deepEqual(controller.denials(), []);
    assert.deepEqual(await controller.heal(), []);
  } finally {
    await controller.destroy();
  }
});

test('an engine beside others leaves nothing behind', async () => {
  const bridge = `nwt${randomBytes(3).toString('hex')}`;
  using kernel = new Kernel();
  const controller = new LocalNetworkController({ store: new MemoryNetworkStore(), bridge, engineId: 'test' });
  const mine = () => [
    ...kernel.links().filter(({ name }) => name === bridge || name === `br-${networkId.slice(0, 12)}`),
    ...kernel.netfilter.dump(listTables()).filter(answer => decodeTable(answer).table === `berth-${bridge}`),
  ];
  let networkId = '-';
  try {
    await controller.restore([]);
    networkId = (await controller.createNetwork({ name: 'net' })).id;
    assert.equal(mine().length, 3);
    const sandbox = { containerId: 'c', name: 'c', hostname: 'c' };
    const ports = [
      { containerPort: 80, protocol: 'tcp', hostIp: '127.0.0.1', hostPortStart: 0, hostPortEnd: 0 } as const,
    ];
    const endpoints = await controller.attach(sandbox, [{ network: 'net' }], ports);
    using container = await TestContainer.start(controller.plan(endpoints));
    controller.settle(endpoints, container.pid);
    await container.serve('0.0.0.0', 80);
    const answer = await callFromHere('127.0.0.1', endpoints[0]?.ports[0]?.hostPort ?? 0, 1500);
    assert.equal(answer, controller.getNetwork('net').gateways[0]);
    await controller.release(endpoints[0]!);
  } finally {
    await controller.destroy();
  }
  for (let i = 0; i < 50 && mine().length > 0; i++) await sleep(20);
  assert.deepEqual(mine(), []);
});
