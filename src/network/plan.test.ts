import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLink, decodeLink, decodeMessages, encodeMessage } from '../netlink/index.ts';
import type { Endpoint } from './endpoint.ts';
import { gatewayEndpoint, interfaceSysctls, loopbackPlan, namespacePidOffsets, planNamespace } from './plan.ts';

const endpoint = (name: string, more: Partial<Endpoint> = {}): Endpoint => ({
  id: name,
  networkId: name,
  networkName: name,
  driver: 'bridge',
  containerId: 'c',
  containerName: 'c',
  interfaceName: 'eth0',
  hostInterfaceName: 'veth0000001',
  interfaceIndex: 2_000_001,
  hostInterfaceIndex: 2_000_002,
  parentIndex: 7,
  macAddress: '02:42:0a:00:00:02',
  mtu: 1500,
  ipv4: { address: '10.0.0.2', prefixLength: 24, gateway: '10.0.0.1' },
  gatewayPriority: 0,
  dnsNames: [],
  aliases: [],
  links: {},
  ports: [],
  config: {},
  ...more,
});

const veth = ({ hostInterfaceName: name, interfaceName }: Endpoint, namespace: { pid: number } | { fd: number }) => [
  createLink({ name, up: true }, { kind: 'veth', peer: { name: interfaceName, namespace } }),
];

test('a plan says in words what its bytes do, in order', () => {
  const plan = planNamespace([endpoint('net')], veth);
  assert.deepEqual(
    [...plan.host, ...plan.sysctls, ...plan.inside].map(({ comment }) => comment),
    [
      'add veth veth0000001 with peer eth0',
      'no IPv6 on eth0',
      'set link 1 up',
      'set link 2000001 up',
      'add address 10.0.0.2/24 to link 2000001',
      'add default route via 10.0.0.1',
    ],
  );
  assert.deepEqual(
    loopbackPlan().inside.map(({ comment }) => comment),
    ['set link 1 up'],
  );
});

test('the process id goes where the plan says, and nowhere else', () => {
  const [message] = planNamespace([endpoint('net')], veth).host;
  assert.equal(message!.pidOffsets.length, 1);
  const patched = Uint8Array.from(message!.bytes);
  new DataView(patched.buffer).setUint32(message!.pidOffsets[0]!, 4711, true);
  const expected = encodeMessage(veth(endpoint('net'), { pid: 4711 })[0]!);
  assert.deepEqual(patched, expected);
  assert.equal(decodeLink(decodeMessages(patched)[0]!).name, 'veth0000001');
});

test('a device without a peer is moved by its own attribute, a message about something else by none', () => {
  const macvlan = createLink({ name: 'eth0', namespace: { pid: 0 } }, { kind: 'macvlan', parent: 3, mode: 'bridge' });
  assert.equal(namespacePidOffsets(encodeMessage(macvlan)).length, 1);
  assert.deepEqual(namespacePidOffsets(encodeMessage(createLink({ name: 'b' }, { kind: 'bridge' }))), []);
  assert.deepEqual(namespacePidOffsets(loopbackPlan().inside[0]!.bytes), []);
});

test('the default route is that of the highest priority, of both families, or of the first name', () => {
  const a = endpoint('a');
  const b = endpoint('b');
  const six = { address: 'fd00::2', prefixLength: 64, gateway: 'fd00::1' };
  const { gateway: _, ...closed } = a.ipv4!;
  assert.equal(gatewayEndpoint([b, a])?.id, 'a');
  assert.equal(gatewayEndpoint([a, { ...b, ipv6: six }])?.id, 'b');
  assert.equal(
    gatewayEndpoint([
      { ...a, gatewayPriority: 1 },
      { ...b, ipv6: six },
    ])?.id,
    'a',
  );
  assert.equal(gatewayEndpoint([{ ...a, ipv4: closed }, b])?.id, 'b');
  assert.equal(gatewayEndpoint([{ ...a, ipv4: closed }]), undefined);
  const plan = planNamespace([a, endpoint('b', { interfaceName: 'eth1', gatewayPriority: 5 })], veth);
  assert.equal(plan.inside.filter(({ comment }) => comment.startsWith('add default route')).length, 1);
});

test('sysctls of an endpoint are its own only', () => {
  const name = 'com.docker.network.endpoint.sysctls';
  assert.deepEqual(
    interfaceSysctls({ [name]: 'net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.neigh.IFNAME.app_solicit=2' }, 'eth3').map(
      ({ path, value }) => [path, value],
    ),
    [
      ['/proc/sys/net/ipv4/conf/eth3/log_martians', '1'],
      ['/proc/sys/net/ipv6/neigh/eth3/app_solicit', '2'],
    ],
  );
  for (const bad of [
    'kernel.panic=1',
    'net.ipv4.conf.all.forwarding=1',
    'net.ipv4.conf.IFNAME.../../x=1',
    'net.ipv4.conf.IFNAME.x',
  ]) {
    assert.throws(() => interfaceSysctls({ [name]: bad }, 'eth0'), { code: 'InvalidArgument' }, bad);
  }
});
