import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, describe, mock, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { describe as describeError } from '../errdefs/index.ts';
import {
  addAddress,
  addChain,
  addRoute,
  addTable,
  deleteTable,
  listRules,
  nft,
  transaction,
} from '../netlink/index.ts';
import type { NetworkControllerOptions } from './controller.ts';
import type { Endpoint } from './endpoint.ts';
import { Kernel, openClient } from './kernel.ts';
import { LocalNetworkController } from './local-controller.ts';
import { MemoryNetworkStore } from './network.ts';
import { parsePortBindings } from './ports/port-bindings.ts';
import { callFromHere, leaveTheMachine, type Place, TestContainer } from './testing/world.ts';

const store = new MemoryNetworkStore();
const warnings: string[] = [];
const make = (more: Partial<NetworkControllerOptions> = {}) =>
  new LocalNetworkController({
    store,
    bridge: 'berthtest0',
    ownTable: false,
    engineId: 'test',
    warn: text => warnings.push(text),
    ...more,
  });

let outside: Place;
let controller: LocalNetworkController;
let number = 0;
const running: TestContainer[] = [];

async function start(
  networks: string[],
  ports: Record<string, { HostIp?: string; HostPort?: string }[]> = {},
): Promise<{ container: TestContainer; endpoints: Endpoint[]; ip: string }> {
  const name = `c${++number}`;
  const sandbox = { containerId: name.padEnd(64, '-'), name, hostname: name };
  const endpoints = await controller.attach(
    sandbox,
    networks.map(network => ({ network })),
    parsePortBindings(ports),
  );
  const container = await TestContainer.start(controller.plan(endpoints));
  controller.settle(endpoints);
  running.push(container);
  return { container, endpoints, ip: endpoints[0]?.ipv4?.address ?? '' };
}

before(async () => {
  ({ outside } = leaveTheMachine());
  // The tests break things and heal them themselves: the controller's watch looks only when a test lets time pass.
  mock.timers.enable({ apis: ['setInterval'] });
  controller = make();
  await controller.restore([]);
});

after(async () => {
  for (const container of running) container[Symbol.dispose]();
  await controller.destroy();
  outside[Symbol.dispose]();
  mock.timers.reset();
});

describe('the default network', () => {
  test('a container gets an address, a route and a name of its interface, and is reached from the host', async () => {
    const { container, endpoints, ip } = await start(['bridge']);
    assert.equal(ip, '172.17.0.2');
    assert.equal(endpoints[0]?.macAddress, '02:42:ac:11:00:02');
    assert.match(container.read('/proc/net/dev'), /eth0:/);
    assert.match(container.read('/proc/net/route'), /^eth0\t00000000\t010011AC/m);
    assert.equal(container.read('/proc/sys/net/ipv6/conf/eth0/disable_ipv6').trim(), '1');
    await container.serve('0.0.0.0', 80);
    assert.equal(await callFromHere(ip, 80), '172.17.0.1');
  });

  test('containers reach each other with their own addresses', async () => {
    const a = await start(['bridge']);
    const b = await start(['bridge']);
    await a.container.serve('0.0.0.0', 80);
    assert.equal(await b.container.call(a.ip, 80), b.ip);
  });

  test('a container reaches the outside under the address of the host', async () => {
    const { container } = await start(['bridge']);
    await outside.serve('0.0.0.0', 53);
    assert.equal(await container.call('192.0.2.1', 53), '192.0.2.2');
  });

  test('a container does not reach what listens on 127.0.0.1 of the host', async () => {
    const { container } = await start(['bridge']);
    const server = createServer(socket => socket.end('secret\n')).listen(7777, '127.0.0.1');
    using client = new Kernel();
    client.sysctl('ipv4/conf/all/route_localnet', '1');
    assert.notEqual(await container.call('127.0.0.1', 7777, 300), 'secret');
    client.sysctl('ipv4/conf/all/route_localnet', '0');
    server.close();
  });
});

describe('published ports', () => {
  test('are reached from the host by every address, from outside with the address of the client', async () => {
    const { container, endpoints, ip } = await start(['bridge'], { '80/tcp': [{ HostPort: '8080' }] });
    await container.serve('0.0.0.0', 80);
    assert.deepEqual(
      endpoints[0]?.ports.map(port => `${port.hostIp} ${port.hostPort}`),
      ['0.0.0.0 8080', ':: 8080'],
    );
    assert.equal(await callFromHere('127.0.0.1', 8080), '172.17.0.1');
    assert.equal(await callFromHere('192.0.2.2', 8080), '192.0.2.2');
    assert.equal(await callFromHere('::1', 8080), '172.17.0.1', 'the proxy serves ::1');
    assert.equal(await outside.call('192.0.2.2', 8080), '192.0.2.1');
    assert.equal(await outside.call('2001:db8::2', 8080), '172.17.0.1', 'the proxy serves IPv6');
    assert.equal(await container.call('192.0.2.2', 8080), '172.17.0.1', 'a container reaches itself');
    const other = await start(['bridge']);
    assert.equal(await other.container.call('192.0.2.2', 8080), '172.17.0.1');
    assert.equal(await outside.call(ip, 80, 300), 'ENETUNREACH');
  });

  test('of 127.0.0.1 are for the host only', async () => {
    const { container } = await start(['bridge'], { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8081' }] });
    await container.serve('0.0.0.0', 80);
    assert.equal(await callFromHere('127.0.0.1', 8081), '172.17.0.1');
    assert.equal(await callFromHere('192.0.2.2', 8081), 'ECONNREFUSED');
    assert.equal(await outside.call('192.0.2.2', 8081), 'ECONNREFUSED');
  });

  test('a port in use is refused in the words of Docker and leaves nothing behind', async () => {
    const { endpoints } = await start(['bridge'], { '80/tcp': [{ HostPort: '8082' }] });
    const before = controller.endpointsOf(controller.getNetwork('bridge').id).length;
    await assert.rejects(start(['bridge'], { '80/tcp': [{ HostPort: '8083' }, { HostPort: '8082' }] }), {
      message:
        /^driver failed programming external connectivity on endpoint c\d+ \([0-9a-f]{64}\): Bind for 0.0.0.0:8082 failed: port is already allocated$/,
    });
    const server = createServer().listen(8084, '0.0.0.0');
    await assert.rejects(start(['bridge'], { '80/tcp': [{ HostPort: '8083' }, { HostPort: '8084' }] }), {
      message: /failed to bind host port for 0.0.0.0:8084:172.17.0.\d+:80\/tcp: address already in use$/,
    });
    const inUse = await start(['bridge'], { '80/tcp': [{ HostPort: '8084' }] }).catch(describeError);
    assert.match(String(inUse), /^driver failed .* address already in use$/);
    server.close();
    await assert.rejects(start(['bridge'], { '80/tcp': [{ HostIp: '198.51.100.1', HostPort: '8084' }] }), {
      message: /failed to bind host port for 198.51.100.1:8084:.*: cannot assign requested address$/,
    });
    assert.equal(controller.endpointsOf(controller.getNetwork('bridge').id).length, before);
    await start(['bridge'], { '80/tcp': [{ HostPort: '8083' }] });
    await controller.release(endpoints[0]!);
    await start(['bridge'], { '80/tcp': [{ HostPort: '8082' }] });
  });

  test('without a number or in a range get the first free one', async () => {
    const { endpoints } = await start(['bridge'], { '80/tcp': [{}], '81/tcp': [{ HostPort: '8082-8090' }] });
    const ports = endpoints[0]?.ports ?? [];
    assert.equal(ports.find(port => port.containerPort === 81)?.hostPort, 8084);
    assert.ok((ports.find(port => port.containerPort === 80)?.hostPort ?? 0) >= 32768);
  });

  test('go on when the daemon is gone, and are taken back by the next one', async () => {
    const { container, endpoints } = await start(['bridge'], { '80/tcp': [{ HostPort: '8091' }] });
    await container.serve('0.0.0.0', 80);
    const living = controller.endpointsOf(controller.getNetwork('bridge').id);
    controller.close();
    assert.equal(await outside.call('192.0.2.2', 8091), '192.0.2.1');
    controller = make();
    await controller.restore(living.map(endpoint => JSON.parse(JSON.stringify(endpoint)) as Endpoint));
    assert.deepEqual(warnings, []);
    assert.equal(await outside.call('192.0.2.2', 8091), '192.0.2.1');
    assert.equal(await callFromHere('::1', 8091), '172.17.0.1');
    await assert.rejects(start(['bridge'], { '80/tcp': [{ HostPort: '8091' }] }), /already allocated/);
    assert.notEqual((await start(['bridge'])).ip, endpoints[0]?.ipv4?.address);
  });
});

describe('user-defined networks', () => {
  test('are apart from each other, with published ports as the way between', async () => {
    await controller.createNetwork({ name: 'red' });
    await controller.createNetwork({ name: 'blue', ipam: { config: [{ subnet: '10.9.0.0/24' }] } });
    const red = await start(['red'], { '80/tcp': [{ HostPort: '8100' }] });
    const blue = await start(['blue']);
    await red.container.serve('0.0.0.0', 80);
    assert.equal(blue.ip, '10.9.0.2');
    assert.equal(await blue.container.call(red.ip, 80, 300), 'timeout');
    assert.equal(await blue.container.call('192.0.2.2', 8100), blue.ip, 'the address of the client is kept');
    const both = await start(['red', 'blue']);
    assert.equal(await both.container.call(red.ip, 80), both.ip);
    assert.match(both.container.read('/proc/net/dev'), /eth1:/);
  });

  test('without communication between containers each is alone', async () => {
    await controller.createNetwork({ name: 'quiet', options: { 'com.docker.network.bridge.enable_icc': 'false' } });
    const a = await start(['quiet']);
    const b = await start(['quiet']);
    await a.container.serve('0.0.0.0', 80);
    assert.notEqual(await b.container.call(a.ip, 80, 300), b.ip);
    assert.notEqual(await callFromHere(a.ip, 80), 'timeout');
    assert.equal(await b.container.call('192.0.2.1', 53), '192.0.2.2');
  });

  test('internal ones have no way out and none in', async () => {
    await controller.createNetwork({ name: 'inner', internal: true });
    const a = await start(['inner']);
    const b = await start(['inner']);
    await a.container.serve('0.0.0.0', 80);
    assert.equal(await b.container.call(a.ip, 80), b.ip);
    assert.equal(await b.container.call('192.0.2.1', 53, 300), 'ENETUNREACH');
  });

  test('have IPv6 when asked for', async () => {
    await controller.createNetwork({ name: 'six', enableIPv6: true });
    const a = await start(['six'], { '80/tcp': [{ HostPort: '8110' }] });
    const b = await start(['six']);
    const [address, other] = [a.endpoints[0]?.ipv6?.address ?? '', b.endpoints[0]?.ipv6?.address ?? ''];
    assert.match(address, /^fd/);
    await a.container.serve('::', 80);
    await outside.serve('::', 54);
    assert.equal(await b.container.call(address, 80, 2500), other);
    assert.equal(await b.container.call('2001:db8::1', 54), '2001:db8::2', 'masqueraded');
    assert.equal(
      await outside.call('2001:db8::2', 8110),
      '2001:db8::1',
      'in the kernel, with the address of the client',
    );
  });

  test('a running container is connected and disconnected', async () => {
    const { container, endpoints } = await start(['bridge'], { '80/tcp': [{ HostPort: '8150' }] });
    const sandbox = { containerId: endpoints[0]!.containerId, name: 'x', hostname: 'x' };
    const server = await start(['red']);
    await server.container.serve('0.0.0.0', 80);
    assert.equal(await container.call(server.ip, 80, 300), 'timeout');
    const more = await controller.connectRunning({ ...sandbox, endpoints }, container.pid, { network: 'red' });
    assert.equal(await container.call(server.ip, 80), more[1]?.ipv4?.address);
    await assert.rejects(
      controller.connectRunning({ ...sandbox, endpoints: more }, container.pid, { network: 'red' }),
      /endpoint with name x already exists in network red/,
    );
    const left = await controller.disconnectRunning({ ...sandbox, endpoints: more }, container.pid, 'bridge');
    assert.equal(left.length, 1);
    await container.serve('0.0.0.0', 80);
    assert.equal(await outside.call('192.0.2.2', 8150), '192.0.2.1', 'its ports have moved with the default route');
    assert.equal(await container.call('192.0.2.1', 53), '192.0.2.2', 'the default route has moved');
    await assert.rejects(
      controller.disconnectRunning({ ...sandbox, endpoints: left }, container.pid, 'bridge'),
      /is not connected to network bridge/,
    );
  });

  test('cannot be removed while in use, and leave no device behind', async () => {
    await assert.rejects(controller.removeNetwork('red'), {
      code: 'PermissionDenied',
      message: /^error while removing network: network red has active endpoints \(name:"c\d+" id:"[0-9a-f]{12}"/,
    });
    await assert.rejects(controller.removeNetwork('bridge'), /bridge is a pre-defined network and cannot be removed/);
    const record = await controller.createNetwork({ name: 'gone' });
    using kernel = new Kernel();
    const device = { name: `br-${record.id.slice(0, 12)}` };
    assert.equal(kernel.link(device)?.kind, 'bridge');
    await controller.removeNetwork(record.id.slice(0, 8));
    assert.equal(kernel.link(device), undefined);
    assert.throws(() => controller.getNetwork('gone'), { code: 'NotFound', message: 'network gone not found' });
  });
});

describe('macvlan', () => {
  test('containers are neighbours of the host on its own network', async () => {
    await controller.createNetwork({
      name: 'mac',
      driver: 'macvlan',
      options: { parent: 'up0' },
      ipam: { config: [{ subnet: '192.0.2.0/24', gateway: '192.0.2.1', ipRange: '192.0.2.128/25' }] },
    });
    const { container, ip } = await start(['mac']);
    assert.match(ip, /^192\.0\.2\.1[23]\d$/);
    assert.equal(await container.call('192.0.2.1', 53), ip);
    await assert.rejects(
      controller.createNetwork({ name: 'mac2', driver: 'macvlan', options: { parent: 'up0' } }),
      /is already using parent interface up0/,
    );
    await assert.rejects(
      controller.createNetwork({ name: 'mac2', driver: 'macvlan', options: { parent: 'nope0' } }),
      /invalid subinterface vlan name nope0, example formatting is eth0.10/,
    );
    await assert.rejects(
      controller.createNetwork({ name: 'mac2', driver: 'macvlan', options: { macvlan_mode: 'foo' } }),
      /requested macvlan mode 'foo' is not valid, 'bridge' mode is the macvlan driver default/,
    );
  });
});

test('settings of one endpoint: sysctls, link-local addresses, the name of the interface, a MAC address', async () => {
  await controller.createNetwork({
    name: 'settings',
    ipam: { config: [{ subnet: '10.20.0.0/24', auxiliaryAddresses: { a: '10.20.0.2' } }] },
  });
  const sandbox = { containerId: 'settings', name: 'settings', hostname: 'settings' };
  const config = {
    ipv4Address: '10.20.0.9',
    macAddress: '02:11:22:33:44:55',
    linkLocalAddresses: ['169.254.7.7'],
    driverOptions: {
      'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.log_martians=1',
      'com.docker.network.endpoint.ifname': 'lan7',
    },
  };
  const endpoints = await controller.attach(sandbox, [{ network: 'settings', config }], []);
  const container = await TestContainer.start(controller.plan(endpoints));
  running.push(container);
  assert.equal(container.read('/proc/sys/net/ipv4/conf/lan7/log_martians').trim(), '1');
  assert.match(container.read('/proc/net/fib_trie'), /169\.254\.7\.7/);
  assert.match(container.read('/proc/net/fib_trie'), /10\.20\.0\.9/);
  assert.equal(endpoints[0]?.macAddress, '02:11:22:33:44:55');
  for (const [bad, words] of [
    [
      { ipv4Address: '10.21.0.9' },
      /invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 10.21.0.9/,
    ],
    [{ ipv4Address: '10.20.0.9' }, /Address already in use/],
    [{ macAddress: 'nonsense' }, /invalid MAC address/],
    [
      { driverOptions: { 'com.docker.network.endpoint.sysctls': 'kernel.hostname=x' } },
      /invalid endpoint sysctl setting/,
    ],
  ] as const) {
    await assert.rejects(
      controller.attach({ ...sandbox, containerId: 'x' }, [{ network: 'settings', config: bad }], []),
      words,
    );
  }
  assert.throws(
    () => controller.checkAttachment({ network: 'bridge', config: { ipv4Address: '172.17.0.99', aliases: ['a'] } }),
    /\* user specified IP address is supported on user defined networks only\n\* network-scoped alias is supported only for containers in user defined networks\n\* user specified/,
  );
});

test('people hear of a firewall that will not see their published ports', () => {
  using kernel = new Kernel();
  const anywhere = parsePortBindings({ '80/tcp': [{ HostPort: '80' }] });
  assert.deepEqual(controller.publishWarnings(anywhere), []);
  const admin = { family: 'inet', table: 'admin' } as const;
  const base = { type: 'filter', hook: nft.hook.input, priority: 0, policy: nft.verdict.drop } as const;
  kernel.netfilter.send(transaction([addTable(admin), addChain({ ...admin, name: 'in', base })]));
  assert.match(controller.publishWarnings(anywhere)[0] ?? '', /80\/tcp.*table inet admin, chain in/);
  assert.deepEqual(controller.publishWarnings(parsePortBindings({ '80/tcp': [{ HostIp: '127.0.0.1' }] })), []);
  kernel.netfilter.send(transaction([deleteTable(admin)]));
});

test('a routed network is reached under its own addresses, at its open ports only', async () => {
  const options = { 'com.docker.network.bridge.gateway_mode_ipv4': 'routed' };
  await controller.createNetwork({ name: 'routed', options, ipam: { config: [{ subnet: '198.51.100.0/24' }] } });
  const { container, endpoints, ip } = await start(['routed'], { '80/tcp': [{ HostPort: '8160' }] });
  for (const port of [80, 81]) await container.serve('0.0.0.0', port);
  assert.deepEqual(
    endpoints[0]?.ports.map(({ hostIp, hostPort }) => `${hostIp} ${hostPort}`),
    [':: 8160', '0.0.0.0 0'],
  );
  using there = openClient('route', outside.fd);
  there.send([addRoute({ family: 2, destination: '198.51.100.0', prefixLength: 24, gateway: '192.0.2.2', link: 501 })]);
  assert.equal(await outside.call(ip, 80), '192.0.2.1');
  assert.equal(await outside.call(ip, 81, 200), 'timeout');
  assert.equal(await container.call('192.0.2.1', 53), ip, 'goes out under its own address');
});

test('containers go out under the address that their network names', async () => {
  using kernel = new Kernel();
  kernel.route.send([addAddress({ index: 500, address: '192.0.2.77', prefixLength: 24 })]);
  await controller.createNetwork({ name: 'named', options: { 'com.docker.network.host_ipv4': '192.0.2.77' } });
  const { container } = await start(['named']);
  assert.equal(await container.call('192.0.2.1', 53), '192.0.2.77');
});

test('a bridge that somebody removed is made again, and its containers hang on it', async () => {
  await controller.createNetwork({ name: 'broken' });
  const { container, ip } = await start(['broken'], { '80/tcp': [{ HostPort: '8130' }] });
  await container.serve('0.0.0.0', 80);
  using kernel = new Kernel();
  await kernel.removeLink({ name: `br-${controller.getNetwork('broken').id.slice(0, 12)}` });
  assert.deepEqual(await controller.heal(), ['the bridge of network broken was gone and has been made again']);
  assert.equal(await outside.call('192.0.2.2', 8130, 1500), '192.0.2.1');
  assert.equal(await callFromHere(ip, 80), controller.getNetwork('broken').gateways[0]);
});

test('a forward policy of drop is passed where iptables made it, and told of elsewhere', async () => {
  using kernel = new Kernel();
  const base = { type: 'filter', hook: nft.hook.forward, priority: 0, policy: nft.verdict.drop } as const;
  const theirs = (family: 'ip' | 'inet', table: string, name: string) => [
    addTable({ family, table }),
    addChain({ family, table, name, base }),
  ];
  const { container } = await start(['bridge'], { '80/tcp': [{ HostPort: '8140' }] });
  await container.serve('0.0.0.0', 80);
  kernel.netfilter.send(transaction(theirs('ip', 'filter', 'FORWARD')));
  assert.equal(await container.call('192.0.2.1', 53, 200), 'timeout');
  await controller.heal();
  assert.equal(await container.call('192.0.2.1', 53, 1500), '192.0.2.2');
  assert.equal(await outside.call('192.0.2.2', 8140), '192.0.2.1');
  const red = await start(['red']);
  assert.equal(await container.call(red.ip, 80, 200), 'timeout', 'networks stay apart');
  const rules = () => kernel.netfilter.dump(listRules({ family: 'ip', table: 'filter' })).length;
  const before = rules();
  await controller.createNetwork({ name: 'later' });
  assert.equal(rules(), before + 2);
  await controller.removeNetwork('later');
  await controller.heal();
  assert.equal(rules(), before);
  kernel.netfilter.send(transaction(theirs('inet', 'admin', 'fw')));
  await controller.heal();
  await controller.heal();
  assert.match(
    warnings.splice(0).join(';'),
    /^chain fw of nf_tables table inet admin drops forwarded packets by policy[^;]*$/,
  );
  kernel.netfilter.send(
    transaction([deleteTable({ family: 'inet', table: 'admin' }), deleteTable({ family: 'ip', table: 'filter' })]),
  );
});

test('a table that somebody flushed is made again', async () => {
  const { container } = await start(['bridge'], { '80/tcp': [{ HostPort: '8120' }] });
  await container.serve('0.0.0.0', 80);
  using kernel = new Kernel();
  const { Firewall } = await import('./firewall/firewall.ts');
  new Firewall(kernel.netfilter, 'berth-berthtest0').removeTable();
  assert.equal(await outside.call('192.0.2.2', 8120), '172.17.0.1', 'the proxy steps in');
  assert.equal((await controller.heal()).length, 1);
  assert.equal(await outside.call('192.0.2.2', 8120), '192.0.2.1');
  assert.deepEqual(await controller.heal(), []);
});

test('a flushed table is seen by the watch at its next look', async () => {
  using kernel = new Kernel();
  const { Firewall } = await import('./firewall/firewall.ts');
  mock.timers.tick(2000);
  await setImmediate();
  warnings.length = 0;
  new Firewall(kernel.netfilter, 'berth-berthtest0').removeTable();
  mock.timers.tick(2000);
  await setImmediate();
  assert.deepEqual(warnings.splice(0), ['the nf_tables table was gone and has been made again']);
  assert.deepEqual(await controller.heal(), []);
});
