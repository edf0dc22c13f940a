import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PublishedPort } from '../endpoint.ts';
import { formatPortMap, parsePort, parsePortBindings } from './port-bindings.ts';
import { PortTable } from './port-table.ts';

describe('port bindings of the API', () => {
  test('become wishes, one for each', () => {
    const wishes = parsePortBindings({
      '80/tcp': [
        { HostIp: '', HostPort: '8080' },
        { HostIp: '[::1]', HostPort: '8000-8010' },
      ],
      '53/udp': [],
      '90': null,
    });
    const base = { hostIp: '', hostPortStart: 0, hostPortEnd: 0 };
    assert.deepEqual(wishes, [
      { containerPort: 90, protocol: 'tcp', ...base },
      { containerPort: 80, protocol: 'tcp', hostIp: '', hostPortStart: 8080, hostPortEnd: 8080 },
      { containerPort: 80, protocol: 'tcp', hostIp: '::1', hostPortStart: 8000, hostPortEnd: 8010 },
      { containerPort: 53, protocol: 'udp', ...base },
    ]);
  });

  test('that mean nothing are refused', () => {
    for (const key of ['x/tcp', '70000/tcp', '80/icmp', '-1/tcp'])
      assert.throws(() => parsePort(key), { code: 'InvalidArgument' });
    for (const binding of [{ HostPort: 'x' }, { HostPort: '70000' }, { HostPort: '9-8' }, { HostIp: 'host' }]) {
      assert.throws(() => parsePortBindings({ '80/tcp': [binding] }), { code: 'InvalidArgument' });
    }
  });

  test('are shown as Docker shows them', () => {
    const port = { containerPort: 80, protocol: 'tcp' } as const;
    assert.deepEqual(
      formatPortMap([
        { ...port, hostIp: '0.0.0.0', hostPort: 8080 },
        { ...port, hostIp: '::', hostPort: 8080 },
      ]),
      {
        '80/tcp': [
          { HostIp: '0.0.0.0', HostPort: '8080' },
          { HostIp: '::', HostPort: '8080' },
        ],
      },
    );
  });
});

describe('the table of host ports', () => {
  const held = new Set<string>();
  const fail = new Map<string, string>();
  const table = new PortTable(async (protocol, hostIp, hostPort) => {
    const key = `${protocol} ${hostIp} ${hostPort}`;
    const code = fail.get(key);
    if (code !== undefined) throw Object.assign(new Error(code), { code });
    held.add(key);
    return { release: () => void held.delete(key) };
  });
  const wish = (hostPort: number, hostIp = '', protocol: 'tcp' | 'udp' = 'tcp') => ({
    containerPort: 80,
    protocol,
    hostIp,
    hostPortStart: hostPort,
    hostPortEnd: hostPort,
  });
  const both = ['0.0.0.0', '::'];
  const target = { ipv4: '10.0.0.2' };
  const text = (ports: readonly PublishedPort[]) => ports.map(port => `${port.hostIp} ${port.hostPort}`);

  test('gives each port once, in each family and protocol', async () => {
    const mine = await table.allocate([wish(1000)], target, both);
    assert.deepEqual(text(mine), ['0.0.0.0 1000', ':: 1000']);
    await assert.rejects(
      table.allocate([wish(1000, '127.0.0.1')], target, both),
      /^Internal: Bind for 127.0.0.1:1000 failed: port is already allocated$/,
    );
    await assert.rejects(table.allocate([wish(1000, '::1')], target, both), /Bind for \[::1\]:1000 failed/);
    const udp = await table.allocate([wish(1000, '', 'udp')], target, both);
    table.release([...mine, ...udp]);
    assert.equal(held.size, 0);
    const one = await table.allocate([wish(1000, '127.0.0.1')], target, both);
    const two = await table.allocate([wish(1000, '127.0.0.2')], target, both);
    table.release([...one, ...two]);
  });

  test('takes all or none', async () => {
    fail.set('tcp 0.0.0.0 1001', 'EADDRINUSE');
    await assert.rejects(
      table.allocate([wish(1000), wish(1001)], target, both),
      /failed to bind host port for 0.0.0.0:1001:10.0.0.2:80\/tcp: address already in use/,
    );
    assert.equal(held.size, 0);
  });

  test('does without IPv6 where the machine has none, unless it was named', async () => {
    fail.set('tcp :: 1002', 'EAFNOSUPPORT').set('tcp ::1 1002', 'EADDRNOTAVAIL');
    const ports = await table.allocate([wish(1002)], target, both);
    assert.deepEqual(text(ports), ['0.0.0.0 1002']);
    await assert.rejects(table.allocate([wish(1002, '::1')], target, both), /cannot assign requested address/);
    table.release(ports);
  });

  test('two at once do not get the same', async () => {
    const results = await Promise.allSettled([1, 2, 3].map(() => table.allocate([wish(1003)], target, both)));
    assert.deepEqual(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected', 'rejected']);
    table.close();
    assert.equal(held.size, 0);
  });

  test('a port that somebody took while the daemon was away is told, and kept', async () => {
    const port = { containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 1001 } as const;
    const failures = await table.adopt([port], target);
    assert.equal(failures.length, 1);
    await assert.rejects(table.allocate([wish(1001)], target, ['0.0.0.0']), /already allocated/);
    table.close();
  });
});
