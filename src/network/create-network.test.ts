import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newNetworkRecord, type Surroundings } from './create-network.ts';
import { bridgeOptions } from './drivers/bridge-options.ts';
import { parsePrefix } from './ipam/prefix.ts';
import { defaultAddressPools, uniqueLocalPool } from './ipam/subnets.ts';
import type { CreateNetworkOptions, NetworkRecord } from './network.ts';
import { defaultBridge } from './predefined.ts';

const around = (networks: NetworkRecord[] = []): Surroundings => ({
  networks,
  taken: networks.flatMap(({ name, ipam }) =>
    ipam.config.map(({ subnet = '' }) => ({ prefix: parsePrefix(subnet), owner: `network ${name}` })),
  ),
  routes: () => [{ prefix: parsePrefix('172.17.0.0/16'), owner: 'host route 172.17.0.0/16' }],
  pools: [...defaultAddressPools, uniqueLocalPool('test')],
  drivers: new Set(['bridge', 'macvlan', 'host', 'null']),
  now: '2026-01-01T00:00:00.000000000Z',
});
const create = (request: Partial<CreateNetworkOptions>, networks?: NetworkRecord[]): NetworkRecord =>
  newNetworkRecord({ name: 'n', ...request }, around(networks));

describe('a new network', () => {
  test('gets what nobody asked for: driver, subnet, gateway', () => {
    const record = create({});
    assert.match(record.id, /^[0-9a-f]{64}$/);
    assert.equal(record.driver, 'bridge');
    assert.deepEqual(record.ipam.config, [{ subnet: '172.18.0.0/20', gateway: '172.18.0.1' }]);
    assert.deepEqual(record.subnetConfigured, [false]);
  });

  test('shows the gateway that was asked for, and has one that was not', () => {
    const config = [{ subnet: '10.99.0.0/24', ipRange: '10.99.0.128/25', auxiliaryAddresses: { a: '10.99.0.128' } }];
    const record = create({ enableIPv6: true, ipam: { config } });
    assert.deepEqual(record.ipam.config[0], config[0]);
    assert.equal(record.gateways[0], '10.99.0.129');
    assert.match(record.ipam.config[1]?.subnet ?? '', /^fd.*::\/64$/);
    assert.equal(
      create({ ipam: { config: [{ subnet: '10.0.0.0/24', gateway: '10.0.0.254' }] } }).gateways[0],
      '10.0.0.254',
    );
    const six = create({ enableIPv4: false, enableIPv6: true });
    assert.equal(six.ipam.config.length, 1);
  });

  test('is refused in the words of Docker', () => {
    const red = create({ name: 'red', ipam: { config: [{ subnet: '10.5.0.0/16' }] } });
    const cases: [Partial<CreateNetworkOptions>, string, RegExp][] = [
      [{ name: ' ' }, 'InvalidArgument', /^invalid name: name is empty$/],
      [{ name: 'red' }, 'AlreadyExists', /^network with name red already exists$/],
      [{ name: 'host' }, 'PermissionDenied', /^operation is not permitted on predefined host network$/],
      [{ driver: 'foo' }, 'NotFound', /^plugin "foo" not found$/],
      [{ driver: 'host' }, 'PermissionDenied', /^only one instance of "host" network is allowed$/],
      [{ ipam: { driver: 'foo' } }, 'NotFound', /^plugin "foo" not found$/],
      [{ enableIPv4: false }, 'InvalidArgument', /^IPv4 or IPv6 must be enabled$/],
      [{ configFrom: 'x' }, 'NotFound', /^network x not found$/],
      [
        { ipam: { config: [{ subnet: '10.5.7.0/24' }] } },
        'PermissionDenied',
        /^invalid pool request: Pool overlaps.*network red$/,
      ],
      [
        { ipam: { config: [{ gateway: '10.0.0.1' }] } },
        'InvalidArgument',
        /^invalid network config:\ninvalid subnet : invalid CIDR block notation$/,
      ],
      [
        { ipam: { config: [{ subnet: '10.9.0.0/24' }, { subnet: '10.8.0.0/24' }] } },
        'PermissionDenied',
        /^bridge driver doesn't support multiple subnets$/,
      ],
      [
        { ipam: { config: [{ subnet: '10.9.0.0/24', gateway: '10.8.0.1', ipRange: '10.7.0.0/25' }, { subnet: 'x' }] } },
        'InvalidArgument',
        /^invalid network config:\ninvalid ip-range 10.7.0.0\/25: parent subnet 10.9.0.0\/24 doesn't contain ip-range\ninvalid gateway 10.8.0.1: parent subnet 10.9.0.0\/24 doesn't contain this address\ninvalid subnet x: /,
      ],
    ];
    for (const [request, code, message] of cases) {
      assert.throws(() => create(request, [red]), { code, message }, JSON.stringify(request));
    }
  });

  test('can be made from the configuration of another', () => {
    const config = [{ subnet: '10.6.0.0/24' }];
    const template = create({ name: 'template', configOnly: true, ipam: { config }, internal: true });
    const record = newNetworkRecord({ name: 'real', configFrom: 'template' }, { ...around(), networks: [template] });
    assert.deepEqual([record.ipam.config[0]?.subnet, record.internal], ['10.6.0.0/24', true]);
    assert.equal(template.gateways[0], '', 'a template has nothing of its own');
  });
});

test('options of a bridge that mean nothing are refused as Docker does', () => {
  const read = (options: Record<string, string>) =>
    bridgeOptions({ id: 'a'.repeat(64), options, internal: false }, { mtu: 1500 });
  assert.deepEqual(
    [read({}).bridgeName, read({}).mtu, read({}).icc, read({}).masquerade],
    ['br-aaaaaaaaaaaa', 1500, true, true],
  );
  const prefix = 'com.docker.network';
  assert.throws(() => read({ [`${prefix}.driver.mtu`]: 'abc' }), {
    message: 'failed to parse com.docker.network.driver.mtu value: abc (strconv.Atoi: parsing "abc": invalid syntax)',
  });
  assert.throws(() => read({ [`${prefix}.bridge.enable_icc`]: 'maybe' }), {
    message:
      'failed to parse com.docker.network.bridge.enable_icc value: maybe (strconv.ParseBool: parsing "maybe": invalid syntax)',
  });
  for (const [name, value] of [
    ['bridge.name', 'toolongnamehereeee'],
    ['bridge.gateway_mode_ipv4', 'what'],
    ['bridge.gateway_mode_ipv4', 'isolated'],
    ['driver.mtu', '-1'],
  ]) {
    assert.throws(() => read({ [`${prefix}.${name}`]: value ?? '' }), { code: 'InvalidArgument' }, name);
  }
});

describe('the default network', () => {
  const options = { store: { load: () => [], save: () => {}, delete: () => {} }, bridge: 'docker0', engineId: 'x' };
  const make = (more: Partial<Parameters<typeof defaultBridge>[0]>) =>
    defaultBridge({
      options,
      before: undefined,
      present: undefined,
      pools: around().pools,
      taken: [],
      now: 'now',
      ...more,
    });

  test('keeps its subnet from start to start, unless the flags say otherwise', () => {
    const first = make({});
    assert.equal(first.ipam.config[0]?.subnet, '172.17.0.0/20');
    const busy = [{ prefix: parsePrefix('172.17.0.0/20'), owner: 'host route' }];
    const again = make({ before: first, taken: busy });
    assert.deepEqual([again.id, again.ipam.config[0]?.subnet], [first.id, '172.17.0.0/20']);
    const moved = make({ before: first, options: { ...options, bip: '10.1.2.3/24', fixedCidr: '10.1.2.128/25' } });
    assert.deepEqual(moved.ipam.config, [{ subnet: '10.1.2.0/24', gateway: '10.1.2.3', ipRange: '10.1.2.128/25' }]);
    assert.equal(moved.id, first.id);
  });

  test('takes the address of a bridge that is there', () => {
    assert.deepEqual(make({ present: '192.168.7.1/24' }).ipam.config, [
      { subnet: '192.168.7.0/24', gateway: '192.168.7.1' },
    ]);
    assert.throws(() => make({ options: { ...options, bip: 'x' } }), /invalid CIDR address: x/);
  });

  test('has IPv6 when told so', () => {
    const record = make({ options: { ...options, ipv6: true, bip6: 'fd00:1::1/64' } });
    assert.deepEqual(record.ipam.config[1], { subnet: 'fd00:1::/64', gateway: 'fd00:1::1' });
    assert.equal(make({ options: { ...options, ipv6: true } }).enableIPv6, true);
  });
});
