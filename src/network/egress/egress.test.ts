import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { native } from '../../launcher/index.ts';
import { decodeAddress } from '../../netlink/index.ts';
import { decodeAnswer, decodeQuery, encodeAnswer, encodeQuery, recordType } from '../dns/message.ts';
import type { Endpoint, Sandbox } from '../endpoint.ts';
import { LocalNetworkController } from '../local-controller.ts';
import { MemoryNetworkStore } from '../network.ts';
import { callFromHere, leaveTheMachine, type Place, TestContainer } from '../testing/world.ts';
import type { Denial } from './egress.ts';
import { allowedName, parseEgressPolicy } from './policy.ts';

describe('an egress policy as text', () => {
  test('says names, addresses, ports and protocols', () => {
    const policy = parseEgressPolicy('Example.com, *.example.org:443 10.0.0.0/8:53/udp [fd00::/8]:80 192.0.2.7/tcp')!;
    assert.deepEqual(
      policy.allowed.map(entry =>
        entry.kind === 'name'
          ? [entry.name, entry.below, entry.port, entry.protocol]
          : [entry.prefix.bits, entry.prefix.length, entry.port, entry.protocol],
      ),
      [
        ['example.com', false, undefined, undefined],
        ['example.org', true, 443, undefined],
        [32, 8, 53, 'udp'],
        [128, 8, 80, undefined],
        [32, 32, undefined, 'tcp'],
      ],
    );
    assert.equal(allowedName(policy, 'example.com').length, 1);
    assert.equal(allowedName(policy, 'www.example.com').length, 0);
    assert.equal(allowedName(policy, 'a.b.example.org').length, 1);
    assert.equal(allowedName(policy, 'badexample.org').length, 0);
  });

  test('may deny everything, or be none', () => {
    assert.deepEqual(parseEgressPolicy('deny'), { allowed: [] });
    for (const none of ['', 'allow', undefined]) assert.equal(parseEgressPolicy(none), undefined);
  });

  test('is refused where it means nothing', () => {
    for (const bad of [
      'exa mple..com',
      'a:b:c',
      '1.2.3.4.5',
      'x:0',
      'x:70000',
      '1.2.3.4/33',
      'http://x',
      '*',
      '-a.com',
    ]) {
      assert.throws(() => parseEgressPolicy(bad), { code: 'InvalidArgument' }, bad);
    }
  });
});

let outside: Place;
let controller: LocalNetworkController;
const denials: Denial[] = [];
const running: TestContainer[] = [];
let number = 0;

async function start(network: string, more: Partial<Sandbox> = {}) {
  const name = `e${++number}`;
  const sandbox = {
    containerId: name.padEnd(64, '-'),
    name,
    hostname: name,
    resolver: { nameservers: ['192.0.2.1'] },
    ...more,
  };
  const endpoints = await controller.attach(sandbox, [{ network }], []);
  const container = await TestContainer.start(controller.plan(endpoints));
  running.push(container);
  controller.settle(endpoints, container.pid);
  return { container, endpoint: endpoints[0] as Endpoint, ip: endpoints[0]?.ipv4?.address ?? '' };
}

/** Asks 127.0.0.11 from within. */
function ask(container: TestContainer, name: string) {
  const socket = createSocket('udp4').bind({ fd: native().listenInNetns(container.fd, 2, '127.0.0.1', 0, 0) });
  return new Promise<ReturnType<typeof decodeAnswer>>(resolve => {
    socket.on('message', bytes => {
      socket.close();
      resolve(decodeAnswer(bytes, decodeAddress));
    });
    socket.send(encodeQuery(1, name, recordType.a), 53, '127.0.0.11');
  });
}

describe('a network that lets out a few things only', () => {
  const nameServer = createSocket('udp4');

  before(async () => {
    ({ outside } = leaveTheMachine());
    nameServer.bind({ fd: native().listenInNetns(outside.fd, 2, '192.0.2.1', 53, 0) });
    nameServer.on('message', (bytes, from) => {
      const answer = encodeAnswer(decodeQuery(bytes), 0, [{ type: 'address', address: '192.0.2.1' }], 512);
      nameServer.send(answer, from.port, from.address);
    });
    for (const port of [80, 81, 82, 443]) await outside.serve('192.0.2.1', port);
    controller = new LocalNetworkController({
      store: new MemoryNetworkStore(),
      bridge: 'berthtest0',
      engineId: 'test',
      onDenied: denial => denials.push(denial),
    });
    await controller.restore([]);
  });

  after(async () => {
    for (const container of running) container[Symbol.dispose]();
    await controller.destroy();
    nameServer.close();
    outside[Symbol.dispose]();
  });

  test('keeps everything else inside, says so, and shows it', async () => {
    await controller.createNetwork({ name: 'shut', options: { 'berth.egress': 'deny' } });
    const { container, endpoint } = await start('shut');
    const other = await start('shut');
    await other.container.serve('0.0.0.0', 80);
    assert.equal(await container.call(other.ip, 80), endpoint.ipv4?.address, 'the network itself is open');
    assert.match(
      await container.call('192.0.2.1', 80),
      /EHOSTUNREACH|ECONNREFUSED|ENETUNREACH|EACCES/,
      'at once, not by a time-out',
    );
    const host = createServer(socket => socket.end('host\n')).listen(9999, '0.0.0.0');
    assert.match(await container.call('192.0.2.2', 9999), /^E/, 'the host is outside too');
    assert.equal(await callFromHere('127.0.0.1', 9999), 'host');
    host.close();
    assert.equal((await ask(container, 'www.example.com')).code, 3);
    const shown = controller
      .denials(controller.getNetwork('shut').id)
      .map(({ destination, protocol, port }) => [destination, protocol, port]);
    assert.deepEqual(shown.toSorted(), [
      ['192.0.2.1', 'tcp', 80],
      ['192.0.2.2', 'tcp', 9999],
      ['www.example.com', undefined, undefined],
    ]);
    assert.equal(denials.length, 3);
    assert.equal(denials[0]?.containerName, endpoint.containerName);
    controller.denials();
    assert.equal(denials.length, 3, 'told once');
  });

  test('opens addresses and ports by number', async () => {
    const policy = '192.0.2.0/24:80 192.0.2.0/28:80, 192.0.2.1:443/tcp';
    await controller.createNetwork({ name: 'few', options: { 'berth.egress': policy } });
    const { container } = await start('few');
    assert.equal(await container.call('192.0.2.1', 80), '192.0.2.2');
    assert.equal(await container.call('192.0.2.1', 443), '192.0.2.2');
    assert.match(await container.call('192.0.2.1', 81), /^E/);
  });

  test('opens a name when it is asked for, and its address for no one before', async () => {
    await controller.createNetwork({ name: 'names', options: { 'berth.egress': 'good.example:81' } });
    const { container } = await start('names');
    assert.match(await container.call('192.0.2.1', 81), /^E/);
    assert.deepEqual((await ask(container, 'good.example')).addresses, ['192.0.2.1']);
    assert.equal(await container.call('192.0.2.1', 81), '192.0.2.2');
    assert.match(await container.call('192.0.2.1', 80), /^E/);
    assert.deepEqual((await ask(container, 'good.example')).addresses, ['192.0.2.1'], 'again: its time begins anew');
    assert.equal((await ask(container, 'bad.example')).code, 3);
    const other = await start('names');
    assert.match(await other.container.call('192.0.2.1', 81), /^E/);
  });

  test('a container can be held to more than its network is', async () => {
    await controller.createNetwork({ name: 'free' });
    const bound = await start('free', { egress: '192.0.2.1:82' });
    const free = await start('free');
    assert.equal(await bound.container.call('192.0.2.1', 82), '192.0.2.2');
    assert.match(await bound.container.call('192.0.2.1', 80), /^E/);
    assert.equal(await free.container.call('192.0.2.1', 80), '192.0.2.2');
    await controller.release(bound.endpoint);
    const strict = await start('few', { egress: '192.0.2.1:81 192.0.2.1:443' });
    assert.equal(await strict.container.call('192.0.2.1', 443), '192.0.2.2');
    assert.match(await strict.container.call('192.0.2.1', 80), /^E/, 'the network would');
    assert.match(await strict.container.call('192.0.2.1', 81), /^E/, 'the container would');
  });

  test('a policy that means nothing makes no network', async () => {
    await assert.rejects(controller.createNetwork({ name: 'bad', options: { 'berth.egress': 'http://x' } }), {
      code: 'InvalidArgument',
    });
  });
});
