// Netlink from inside of programs, and from TypeScript, on the real kernel in namespaces of their own.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  addAddress,
  createLink,
  decodeMessages,
  encodeMessage,
  encodeMessages,
  getLink,
  type NetlinkMessage,
  setLink,
} from '../netlink/index.ts';
import { NetlinkMonitor, NetlinkSocket, native, type Op } from './index.ts';
import { child, failureOf, NEWNET, needsRoot, outputOf, shell } from './probe.ts';

const netlink = (...messages: NetlinkMessage[]): Op => ({
  op: 'netlink',
  protocol: 0,
  messages: encodeMessages(messages),
});

describe('the netlink op', { skip: needsRoot }, () => {
  test('works in the network namespace that the process is in', async () => {
    const { text } = await outputOf(
      child(
        NEWNET,
        netlink(
          setLink({ index: 1, up: true }),
          createLink({ name: 'bridge7', mtu: 1400, up: true }, { kind: 'bridge' }),
        ),
        netlink(addAddress({ index: 2, address: '10.99.0.1', prefixLength: 24 })),
        shell('cat /proc/net/dev | grep -c bridge7; cat /proc/net/fib_trie | grep -c "10.99.0.1$"'),
      ),
    );
    const [device, addresses] = text.trim().split('\n');
    assert.equal(device, '1');
    assert.ok(Number(addresses) > 0);
  });

  test("puts the child's pid in, so that a veth has its peer in the child's namespace", async () => {
    const marker = 0x7abbccdd;
    const bytes = encodeMessage(
      createLink({ name: 'outside', up: true }, { kind: 'veth', peer: { name: 'inside', namespace: { pid: marker } } }),
    );
    const view = Buffer.from(bytes);
    const offset = view.indexOf(Buffer.from(Uint32Array.of(marker).buffer));
    const { text } = await outputOf(
      child(
        NEWNET,
        {
          op: 'clone',
          flags: NEWNET,
          program: [
            { op: 'await', peer: 'parent' },
            { op: 'open', slot: 1, flags: 1, path: '/proc/self/fd/1' },
            shell('grep -o "[a-z]*side" /proc/net/dev'),
          ],
        },
        { op: 'netlink', protocol: 0, messages: bytes, pid: [{ offset }] },
        { op: 'notify', peer: 'child' },
        { op: 'await', peer: 'exec' },
        { op: 'run', path: '/bin/sleep', args: ['sleep', '0.1'], env: [], stdin: '', timeoutMs: 5000 },
        { op: 'exit', code: 0 },
      ),
    );
    assert.equal(text, 'inside\n');
  });

  test('fails with the first message that did, and the words of the kernel', async () => {
    const bad = await failureOf(
      child(NEWNET, netlink(setLink({ index: 1, up: true }), setLink({ index: 99, up: true })), {
        op: 'exit',
        code: 0,
      }),
    );
    assert.deepEqual([bad.path, bad.code], [[0, 0], 'ENODEV']);
    assert.match(bad.detail, /^message 1/);
    const words = await failureOf(
      child(
        NEWNET,
        netlink(
          createLink({ name: 'x', mtu: 1 }, { kind: 'bridge' }),
          createLink({ name: 'y', mtu: 0x7fffffff }, { kind: 'veth', peer: {} }),
        ),
        { op: 'exit', code: 0 },
      ),
    );
    assert.match(words.detail, /^message \d+: .*mtu/i);
  });

  test('refuses messages that do not add up', async () => {
    const messages = new Uint8Array(encodeMessage(getLink()));
    messages[0] = 200;
    assert.equal((await failureOf([{ op: 'netlink', protocol: 0, messages }])).code, 'EINVAL');
  });
});

describe('netlink sockets of a namespace', { skip: needsRoot }, () => {
  test('requests reach that namespace, dumps are whole, events come to a monitor', () => {
    const netns = native().newNetns();
    try {
      using socket = new NetlinkSocket(0, netns);
      using monitor = new NetlinkMonitor(0, [1], netns);
      const links = Array.from({ length: 200 }, (_, i) => createLink({ name: `bridge${i}` }, { kind: 'bridge' }));
      const acknowledgements = decodeMessages(socket.request(encodeMessages(links)));
      assert.equal(acknowledgements.length, 200);
      assert.ok(acknowledgements.every(message => message.type === 2 && message.body[0] === 0));
      const dump = decodeMessages(socket.request(encodeMessages([getLink()])));
      assert.equal(dump.filter(message => message.type === 16).length, 201, 'with lo');
      const events = monitor.receive();
      assert.ok(events && decodeMessages(events).length >= 200);
      assert.equal(monitor.receive(), null);
    } finally {
      native().close(netns);
    }
  });

  test('a socket listens inside of the namespace, and our own is left alone', () => {
    const { newNetns, listenInNetns, close } = native();
    const netns = newNetns();
    try {
      using socket = new NetlinkSocket(0, netns);
      socket.request(encodeMessages([setLink({ index: 1, up: true })]));
      const [tcp, udp] = [listenInNetns(netns, 1, '127.0.0.1', 53, 16), listenInNetns(netns, 2, '127.0.0.1', 53, 0)];
      assert.throws(() => listenInNetns(netns, 1, '192.0.2.1', 80, 1), { code: 'EADDRNOTAVAIL', syscall: 'bind' });
      close(tcp);
      close(udp);
      assert.throws(() => listenInNetns(netns, 1, 'not an address', 80, 1), { code: 'EINVAL' });
    } finally {
      close(netns);
    }
  });
});
