import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { native } from '../../launcher/index.ts';
import type { Endpoint, Sandbox } from '../endpoint.ts';
import { LocalNetworkController } from '../local-controller.ts';
import { MemoryNetworkStore } from '../network.ts';
import { leaveTheMachine, type Place, TestContainer } from '../testing/world.ts';
import { decodeQuery, encodeAnswer } from './message.ts';

let outside: Place;
let controller: LocalNetworkController;
const running: TestContainer[] = [];
const pids = new Map<string, number>();
const living: Endpoint[] = [];
const store = new MemoryNetworkStore();
const make = () =>
  new LocalNetworkController({ store, bridge: 'berthtest0', engineId: 'test', warn: text => assert.fail(text) });
const skip = existsSync('/usr/bin/busybox') ? false : 'needs busybox, for its nslookup';

async function start(name: string, networks: string[], more: Partial<Sandbox> = {}, aliases: string[] = []) {
  const sandbox = { containerId: name.padEnd(64, '-'), name, hostname: name, ...more };
  const endpoints = await controller.attach(
    sandbox,
    networks.map(network => ({ network, config: { aliases } })),
    [],
  );
  const container = await TestContainer.start(controller.plan(endpoints));
  running.push(container);
  controller.settle(endpoints, container.pid);
  pids.set(sandbox.containerId, container.pid);
  living.push(...endpoints);
  return { container, endpoints, ip: endpoints[0]?.ipv4?.address ?? '' };
}

/** A real client, in the container's namespace. */
function inside(container: TestContainer, ...command: string[]): Promise<string> {
  const child = spawn('nsenter', [`--net=/proc/${container.pid}/ns/net`, 'busybox', ...command]);
  const timer = setTimeout(() => child.kill(), 1500);
  let output = '';
  child.stdout.on('data', data => (output += data));
  child.stderr.on('data', data => (output += data));
  return new Promise(resolve =>
    child.on('close', () => {
      clearTimeout(timer);
      resolve(output);
    }),
  );
}

before(async () => {
  ({ outside } = leaveTheMachine());
  controller = make();
  await controller.restore([]);
  await controller.createNetwork({ name: 'net' });
});

after(async () => {
  for (const container of running) container[Symbol.dispose]();
  await controller.destroy();
  outside[Symbol.dispose]();
});

test('a real client finds containers by name and alias, over the port it expects', { skip }, async () => {
  const web = await start('web', ['net'], {}, ['app']);
  const client = await start('client', ['net']);
  assert.match(
    await inside(client.container, 'nslookup', '-type=a', 'web', '127.0.0.11'),
    new RegExp(`Address: ${web.ip}\\b`),
  );
  assert.match(await inside(client.container, 'nslookup', '-type=a', 'app.net', '127.0.0.11'), new RegExp(web.ip));
  assert.match(await inside(client.container, 'nslookup', web.ip, '127.0.0.11'), /name = web\.net/);
});

test('a container may have a name server of its own on port 53', async () => {
  const own = await start('own', ['net']);
  await own.container.serve('0.0.0.0', 53);
  assert.match(await own.container.call(own.ip, 53), /\d/);
});

test('servers of --dns are asked from within the container', { skip }, async () => {
  const server = createSocket('udp4').bind({ fd: native().listenInNetns(outside.fd, 2, '192.0.2.1', 53, 0) });
  const askers: string[] = [];
  server.on('message', (bytes, from) => {
    askers.push(from.address);
    server.send(
      encodeAnswer(decodeQuery(bytes), 0, [{ type: 'address', address: '198.51.100.9' }], 512),
      from.port,
      from.address,
    );
  });
  const client = await start('dnsclient', ['net'], { resolver: { nameservers: ['192.0.2.1'] } });
  assert.match(await inside(client.container, 'nslookup', '-type=a', 'example.com', '127.0.0.11'), /198\.51\.100\.9/);
  assert.deepEqual([...new Set(askers)], ['192.0.2.2']);
  server.close();
});

test('a daemon that comes back answers again, and a released container leaves nothing open', { skip }, async () => {
  const client = running[1]!;
  controller.close();
  assert.doesNotMatch(await inside(client, 'nslookup', '-type=a', 'web', '127.0.0.11'), /Address: 172/);
  controller = make();
  await controller.restore(living, id => pids.get(id));
  assert.match(await inside(client, 'nslookup', '-type=a', 'web', '127.0.0.11'), /Address: 172/);
  for (const endpoint of living) await controller.release(endpoint);
  assert.doesNotMatch(await inside(client, 'nslookup', '-type=a', 'web', '127.0.0.11'), /Address: 172/);
});
