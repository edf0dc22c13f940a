import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeTable, flushRuleset, listTables, transaction } from '../netlink/index.ts';
import type { Endpoint } from './endpoint.ts';
import { Kernel } from './kernel.ts';
import { LocalNetworkController } from './local-controller.ts';
import { MemoryNetworkStore } from './network.ts';
import { parsePortBindings } from './ports/port-bindings.ts';
import { leaveTheMachine, type Place, TestContainer } from './testing/world.ts';

const store = new MemoryNetworkStore();
const warnings: string[] = [];
const make = () =>
  new LocalNetworkController({ store, bridge: 'berthtest0', engineId: 'test', warn: text => warnings.push(text) });
let controller: LocalNetworkController;
let outside: Place;
const running: TestContainer[] = [];
const living: Endpoint[] = [];

async function start(name: string, network: string, ports = {}) {
  const sandbox = { containerId: name.padEnd(64, '-'), name, hostname: name };
  const endpoints = await controller.attach(sandbox, [{ network }], parsePortBindings(ports));
  const container = await TestContainer.start(controller.plan(endpoints));
  running.push(container);
  controller.settle(endpoints, container.pid);
  living.push(...endpoints);
  return { container, endpoints, sandbox, ip: endpoints[0]?.ipv4?.address ?? '' };
}

before(async () => {
  ({ outside } = leaveTheMachine());
  controller = make();
  await controller.restore([]);
});

after(async () => {
  for (const container of running) container[Symbol.dispose]();
  await controller.destroy();
  outside[Symbol.dispose]();
});

test('a hundred networks are apart, and gone when they are removed', async () => {
  using kernel = new Kernel();
  const devices = kernel.links().length;
  const names = Array.from({ length: 100 }, (_, i) => `n${i}`);
  for (const name of names) await controller.createNetwork({ name });
  const subnets = new Set(names.map(name => controller.getNetwork(name).ipam.config[0]?.subnet));
  assert.equal(subnets.size, 100);
  const [first, last] = [await start('first', 'n0'), await start('last', 'n99')];
  await first.container.serve('0.0.0.0', 80);
  assert.equal(await last.container.call(first.ip, 80, 200), 'timeout');
  for (const endpoint of living.splice(0)) await controller.release(endpoint);
  for (const container of running.splice(0)) container[Symbol.dispose]();
  assert.equal((await controller.pruneNetworks()).length, 100);
  for (let i = 0; i < 100 && kernel.links().length > devices; i++) await sleep(20);
  assert.equal(kernel.links().length, devices);
});

test('two hundred containers on one network all reach the first', async () => {
  await controller.createNetwork({ name: 'crowd' });
  const first = await start('c0', 'crowd');
  await first.container.serve('0.0.0.0', 80);
  const addresses = new Set([first.ip]);
  for (let i = 1; i < 200; i++) {
    const { container, ip } = await start(`c${i}`, 'crowd');
    addresses.add(ip);
    if (i % 40 === 39) assert.equal(await container.call(first.ip, 80), ip);
  }
  assert.equal(addresses.size, 200);
  for (const endpoint of living.splice(0)) await controller.release(endpoint);
  for (const container of running.splice(0)) container[Symbol.dispose]();
});

/** A connection that talks all the time, and counts what comes back. */
class Talk {
  echoed = 0;
  broken = false;
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', data => {
      this.echoed += data.length;
    });
    socket.on('error', () => {
      this.broken = true;
    });
    socket.on('close', () => {
      this.broken = true;
    });
    this.#timer = setInterval(() => socket.write('x'), 2);
  }

  /** Something comes back still. */
  async goesOn(what: string): Promise<void> {
    const before = this.echoed;
    for (let i = 0; i < 100 && this.echoed === before; i++) await sleep(20);
    assert.ok(!this.broken && this.echoed > before, `the connection lives ${what}`);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#socket.destroy();
  }
}

describe('a connection to a published port', () => {
  test('lives through connects and disconnects, a new daemon and a flushed rule set', async () => {
    await controller.createNetwork({ name: 'front' });
    await controller.createNetwork({ name: 'back' });
    const server = await start('server', 'front', { '80/tcp': [{ HostPort: '8200' }] });
    await server.container.serve('0.0.0.0', 80);
    const talk = new Talk(connect({ host: '192.0.2.2', port: 8200 }));
    await talk.goesOn('to begin with');
    let endpoints: readonly Endpoint[] = server.endpoints;
    for (let i = 0; i < 10; i++) {
      const sandbox = { ...server.sandbox, endpoints };
      const more = await controller.connectRunning(sandbox, server.container.pid, { network: 'back' });
      endpoints = await controller.disconnectRunning({ ...sandbox, endpoints: more }, server.container.pid, 'back');
    }
    await talk.goesOn('after ten connects and disconnects');
    controller.close();
    await talk.goesOn('without a daemon');
    controller = make();
    await controller.restore(endpoints);
    await talk.goesOn('with a new daemon');
    using kernel = new Kernel();
    kernel.netfilter.send(transaction([flushRuleset()]));
    await talk.goesOn('when somebody flushes the rule set');
    assert.deepEqual(await controller.heal(), []);
    assert.deepEqual(warnings, []);
    talk.stop();
  });
});

test('what a dead engine without containers left is cleared away by the next one', async () => {
  const dead = new LocalNetworkController({ store: new MemoryNetworkStore(), bridge: 'berthdead0', engineId: 'dead' });
  await dead.restore([]);
  await dead.createNetwork({ name: 'n' });
  using kernel = new Kernel();
  const left = () => [
    kernel.netfilter.dump(listTables()).filter(answer => decodeTable(answer).table === 'berth-berthdead0').length,
    kernel.links().filter(({ kind }) => kind === 'bridge').length,
  ];
  const before = left();
  const other = () =>
    new LocalNetworkController({
      store: new MemoryNetworkStore(),
      bridge: 'none',
      table: 'berth-other',
      engineId: 'o',
    });
  const first = other();
  await first.restore([]);
  first.close();
  assert.deepEqual(left(), before, 'it lives');
  dead.close();
  const second = other();
  await second.restore([]);
  second.close();
  assert.deepEqual(left(), [0, before[1]! - 2]);
});
