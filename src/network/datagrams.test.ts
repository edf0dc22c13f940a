// UDP through published ports, and names for a program that uses glibc.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { native } from '../launcher/index.ts';
import { LocalNetworkController } from './local-controller.ts';
import { MemoryNetworkStore } from './network.ts';
import { parsePortBindings } from './ports/port-bindings.ts';
import { leaveTheMachine, type Place, TestContainer } from './testing/world.ts';

let outside: Place;
let controller: LocalNetworkController;
const running: TestContainer[] = [];
const sockets: Socket[] = [];
let number = 0;

async function start(network: string, ports = {}) {
  const name = `u${++number}`;
  const endpoints = await controller.attach(
    { containerId: name.padEnd(64, '-'), name, hostname: name },
    [{ network }],
    parsePortBindings(ports),
  );
  const container = await TestContainer.start(controller.plan(endpoints));
  running.push(container);
  controller.settle(endpoints, container.pid);
  return { container, endpoint: endpoints[0]!, ip: endpoints[0]?.ipv4?.address ?? '' };
}

function bound(place: Place | undefined, address: string, port: number): Socket {
  const fd = native().listenInNetns(place?.fd ?? -1, 2, address, port, 0);
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4').bind({ fd });
  sockets.push(socket);
  return socket;
}

/** A server that answers with a word and the address it was asked from. */
function serve(place: Place, port: number, word: string): void {
  const socket = bound(place, '0.0.0.0', port);
  socket.on('message', (_, from) => socket.send(`${word} ${from.address}`, from.port, from.address));
}

function ask(socket: Socket, address: string, port: number, timeoutMs = 1500): Promise<string> {
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve('timeout'), timeoutMs);
    socket.once('message', (bytes, from) => {
      clearTimeout(timer);
      resolve(from.address === address ? bytes.toString() : `answer from ${from.address}`);
    });
    socket.send('?', port, address);
  });
}

before(async () => {
  ({ outside } = leaveTheMachine());
  controller = new LocalNetworkController({ store: new MemoryNetworkStore(), bridge: 'berthtest0', engineId: 'test' });
  await controller.restore([]);
  await controller.createNetwork({ name: 'net' });
});

after(async () => {
  for (const socket of sockets) socket.close();
  for (const container of running) container[Symbol.dispose]();
  await controller.destroy();
  outside[Symbol.dispose]();
});

test('UDP ports are reached from everywhere, by the kernel and by the proxy', async () => {
  const { container } = await start('bridge', { '53/udp': [{ HostPort: '5300' }] });
  serve(container, 53, 'one');
  assert.equal(await ask(bound(outside, '192.0.2.1', 0), '192.0.2.2', 5300), 'one 192.0.2.1');
  assert.equal(await ask(bound(undefined, '0.0.0.0', 0), '127.0.0.1', 5300), 'one 172.17.0.1');
  assert.equal(await ask(bound(undefined, '::', 0), '::1', 5300), 'one 172.17.0.1');
  assert.equal(await ask(bound(outside, '2001:db8::1', 0), '2001:db8::2', 5300), 'one 172.17.0.1');
});

test('a client that goes on sending reaches the container that has the port now', async () => {
  const client = bound(outside, '192.0.2.1', 0);
  const one = await start('bridge', { '53/udp': [{ HostPort: '5301' }] });
  serve(one.container, 53, 'one');
  assert.equal(await ask(client, '192.0.2.2', 5301), 'one 192.0.2.1');
  await controller.release(one.endpoint);
  assert.equal(await ask(client, '192.0.2.2', 5301, 200), 'timeout');
  const two = await start('bridge', { '53/udp': [{ HostPort: '5301' }] });
  serve(two.container, 53, 'two');
  assert.equal(await ask(client, '192.0.2.2', 5301), 'two 192.0.2.1');
});

/** Runs a command in a container's namespace, with resolv.conf and its like as the container would have them. */
async function withResolver(container: TestContainer, command: string): Promise<string> {
  const folder = mkdtempSync('/tmp/nw-resolver-');
  const files = {
    'resolv.conf': 'nameserver 127.0.0.11\noptions ndots:0\n',
    hosts: '127.0.0.1 localhost\n',
    'nsswitch.conf': 'hosts: files dns\n',
  };
  const mounts = Object.entries(files).map(([name, content]) => {
    writeFileSync(join(folder, name), content);
    return `mount --bind ${join(folder, name)} /etc/${name}`;
  });
  const script = [...mounts, command].join(' && ');
  const child = spawn('unshare', ['--mount', 'nsenter', `--net=/proc/${container.pid}/ns/net`, 'sh', '-c', script]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', data => {
      output += data;
    });
  }
  await new Promise(resolve => child.on('close', resolve));
  rmSync(folder, { recursive: true });
  return output;
}

const glibc = spawnSync('getent', ['--version']).status === 0;

test('a program with glibc finds names', { skip: glibc ? false : 'needs getent' }, async () => {
  const { container, ip } = await start('net');
  const output = await withResolver(container, `getent ahostsv4 u${number} && getent hosts ${ip}`);
  assert.match(output, new RegExp(`^${ip}\\s+STREAM u${number}$`, 'm'));
  assert.match(output, new RegExp(`^${ip}\\s+u${number}\\.net$`, 'm'));
});

const musl = spawnSync('musl-gcc', ['--version']).status === 0;
const lookUp = `
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
int main(int argc, char **argv) {
  struct addrinfo *list, hints = {.ai_socktype = SOCK_STREAM};
  int error = getaddrinfo(argv[argc - 1], 0, &hints, &list);
  if (error) return puts(gai_strerror(error)), 1;
  for (char text[64]; list; list = list->ai_next)
    puts(inet_ntop(list->ai_family, list->ai_family == AF_INET ? (void *)&((struct sockaddr_in *)list->ai_addr)->sin_addr : (void *)&((struct sockaddr_in6 *)list->ai_addr)->sin6_addr, text, sizeof text));
}
`;

// musl asks for both families at once and waits for both answers: one that stays out is five seconds lost.
test('a program with musl finds names, at once', { skip: musl ? false : 'needs musl-gcc' }, async () => {
  const folder = mkdtempSync('/tmp/nw-musl-');
  writeFileSync(join(folder, 'a.c'), lookUp);
  assert.equal(spawnSync('musl-gcc', ['-static', '-o', join(folder, 'a'), join(folder, 'a.c')]).status, 0);
  const { container, ip } = await start('net');
  const begun = performance.now();
  assert.equal(await withResolver(container, `${join(folder, 'a')} u${number}`), `${ip}\n`);
  assert.equal(await withResolver(container, `${join(folder, 'a')} U${number}.net`), `${ip}\n`);
  assert.ok(performance.now() - begun < 2500);
  rmSync(folder, { recursive: true });
});
