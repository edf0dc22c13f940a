import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { decodeAddress } from '../../netlink/index.ts';
import { Random } from '../../netlink/testing/random.ts';
import type { Endpoint } from '../endpoint.ts';
import { createForwarder, Frames, frame } from './forwarder.ts';
import { decodeAnswer, decodeQuery, encodeAnswer, encodeQuery, recordType, reverseAddress } from './message.ts';
import { type ResolverContext, resolve } from './resolver.ts';

const endpoint = (name: string, address: string, more: Partial<Endpoint> = {}): Endpoint => ({
  id: name,
  networkId: 'n1',
  networkName: 'net',
  driver: 'bridge',
  containerId: name.padEnd(64, '0'),
  containerName: name,
  interfaceName: 'eth0',
  hostInterfaceName: 'veth',
  interfaceIndex: 1,
  hostInterfaceIndex: 2,
  parentIndex: 3,
  macAddress: '',
  mtu: 1500,
  ipv4: { address, prefixLength: 24 },
  gatewayPriority: 0,
  dnsNames: [name],
  aliases: [],
  links: {},
  ports: [],
  config: {},
  ...more,
});

const everybody = [
  endpoint('web', '10.0.0.2', { dnsNames: ['web', 'app', 'abc'], links: { store: 'db' } }),
  endpoint('web2', '10.0.0.3', { dnsNames: ['web2', 'app'], ipv6: { address: 'fd00::3', prefixLength: 64 } }),
  endpoint('db', '10.0.0.4'),
];
const forwarded: string[] = [];
const context: ResolverContext = {
  endpoints: () => [everybody[0] as Endpoint],
  endpointsOf: () => everybody,
  forward: async query => {
    forwarded.push(query.question.name);
    return undefined;
  },
  denied: name => name === 'evil.example',
};

const ask = async (name: string, type: number, edns?: number, more: Partial<ResolverContext> = {}) => {
  const answer = await resolve({ ...context, ...more }, encodeQuery(7, name, type, edns), 'udp');
  assert.ok(answer);
  return decodeAnswer(answer, decodeAddress);
};

describe('the resolver of a container', () => {
  test('knows names, aliases, links and name.network, whatever their case', async () => {
    assert.deepEqual((await ask('db', recordType.a)).addresses, ['10.0.0.4']);
    assert.deepEqual((await ask('DB.Net', recordType.a)).addresses, ['10.0.0.4']);
    assert.deepEqual((await ask('store', recordType.a)).addresses, ['10.0.0.4']);
    assert.deepEqual((await ask('app', recordType.a)).addresses.toSorted(), ['10.0.0.2', '10.0.0.3']);
    assert.deepEqual((await ask('web2', recordType.aaaa)).addresses, ['fd00::3']);
  });

  test('spreads callers over several addresses', async () => {
    const firsts = new Set<string | undefined>();
    for (let i = 0; i < 60; i++) firsts.add((await ask('app', recordType.a)).addresses[0]);
    assert.equal(firsts.size, 2);
  });

  test('never asks outside for a name it knows', async () => {
    forwarded.length = 0;
    for (const type of [recordType.aaaa, recordType.mx, 16, 65]) {
      const answer = await ask('db', type);
      assert.deepEqual([answer.code, answer.addresses], [0, []]);
    }
    assert.deepEqual(forwarded, []);
  });

  test('answers reverse look-ups', async () => {
    assert.deepEqual((await ask('2.0.0.10.in-addr.arpa', recordType.ptr)).names, ['web.net']);
    const six = `3.${'0.'.repeat(27)}0.0.d.f.ip6.arpa`;
    assert.equal(reverseAddress(six), 'fd00:0000:0000:0000:0000:0000:0000:0003');
    assert.deepEqual((await ask(six, recordType.ptr)).names, ['web2.net']);
  });

  test('says so when no server has an answer, the policy is against it, or a single label is not for outside', async () => {
    assert.equal((await ask('example.com', recordType.a)).code, 2);
    forwarded.length = 0;
    assert.equal((await ask('evil.example', recordType.a)).code, 3);
    assert.equal((await ask('single', recordType.a, undefined, { ndots: 1 })).code, 0);
    assert.deepEqual(forwarded, []);
    await ask('single', recordType.a);
    assert.deepEqual(forwarded, ['single']);
  });

  test('marks an answer that is too long for UDP, unless the asker takes more', async () => {
    const many = Array.from({ length: 100 }, (_, i) => endpoint(`r${i}`, `10.0.1.${i}`, { dnsNames: ['many'] }));
    const more = { endpointsOf: () => many };
    const short = await ask('many', recordType.a, undefined, more);
    assert.deepEqual([short.truncated, short.addresses.length], [true, 0]);
    const long = await ask('many', recordType.a, 4096, more);
    assert.deepEqual([long.truncated, long.addresses.length], [false, 100]);
  });

  test('answers rubbish with an error or not at all, never with an exception', async () => {
    const random = new Random(42);
    for (let i = 0; i < 5000; i++) {
      const bytes = Uint8Array.from(encodeQuery(1, 'db.example.org', recordType.a, 1232));
      for (let flips = random.below(5); flips >= 0; flips--) bytes[random.below(bytes.length)] = random.below(256);
      await resolve(context, bytes.subarray(0, random.below(bytes.length + 1)), 'udp');
    }
    assert.throws(() => decodeQuery(Uint8Array.of(0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 0x0c, 0, 1, 0, 1)), {
      code: 'DataLoss',
    });
  });
});

describe('the forwarder', () => {
  const server = async (answer: (bytes: Uint8Array) => Uint8Array | undefined, host = '127.0.0.1') => {
    const udp = createSocket('udp4');
    udp.on('message', (bytes, from) => {
      const reply = answer(bytes);
      if (reply !== undefined) udp.send(reply, from.port, from.address);
    });
    await new Promise<void>(done => udp.bind(0, host, done));
    const { port } = udp.address();
    const tcp = createServer(socket => {
      const frames = new Frames();
      socket.on('error', () => {});
      socket.on('data', data => {
        for (const bytes of frames.push(data)) socket.write(frame(answer(bytes) ?? new Uint8Array(0)));
      });
    });
    await new Promise<void>(done => tcp.listen(port, host, done));
    return { port, close: () => [udp, tcp].forEach(socket => void socket.close()) };
  };
  const query = encodeQuery(99, 'Example.com', recordType.a);
  const reply = (code: number) => (bytes: Uint8Array) =>
    encodeAnswer(decodeQuery(bytes), code, code === 0 ? [{ type: 'address', address: '192.0.2.7' }] : [], 512);

  test('passes a question on with an id of its own and gives the answer its old one', async () => {
    const ids: number[] = [];
    const good = await server(bytes => {
      ids.push(decodeQuery(bytes).id);
      return reply(0)(bytes);
    });
    const forward = createForwarder({ servers: () => ['127.0.0.1'], port: good.port });
    for (const transport of ['udp', 'tcp'] as const) {
      const answer = await forward(decodeQuery(query), query, transport);
      assert.deepEqual(decodeAnswer(answer!, decodeAddress).addresses, ['192.0.2.7']);
      assert.equal(decodeAnswer(answer!, decodeAddress).id, 99);
    }
    assert.equal(ids.length, 2);
    good.close();
  });

  test('goes on to the next server after silence, refusal and failure, and believes no stranger', async () => {
    const bad = await server(reply(5), '127.0.0.2');
    const failing = createServer();
    const forward = createForwarder({ servers: () => ['127.0.0.2', '127.0.0.3'], port: bad.port, timeoutMs: 100 });
    const answer = await forward(decodeQuery(query), query, 'udp');
    assert.equal(decodeAnswer(answer!, decodeAddress).code, 5, 'the last word of those that answered');
    bad.close();
    failing.close();
    const forger = await server(bytes => {
      const answer = Uint8Array.from(reply(0)(bytes));
      answer[0] = (answer[0] ?? 0) ^ 1;
      return answer;
    });
    const wary = createForwarder({ servers: () => ['127.0.0.1'], port: forger.port, timeoutMs: 100 });
    assert.equal(await wary(decodeQuery(query), query, 'udp'), undefined);
    forger.close();
  });
});
