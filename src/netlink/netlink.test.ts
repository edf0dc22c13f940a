import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  AttributeMap,
  addAddress,
  addChain,
  addElements,
  addRoute,
  addRule,
  addSet,
  attribute,
  concat,
  createLink,
  decodeAcknowledgement,
  decodeAddress,
  decodeAttributes,
  decodeChain,
  decodeElements,
  decodeHardwareAddress,
  decodeInterfaceAddress,
  decodeLink,
  decodeMessages,
  decodeRoute,
  decodeRule,
  type Expression,
  encodeAddress,
  encodeHardwareAddress,
  encodeMessage,
  encodeMessages,
  errnoName,
  flag,
  type InterfaceAddress,
  isNetlinkError,
  messageType,
  NetlinkClient,
  type NetlinkMessage,
  nested,
  nft,
  type ReceivedMessage,
  type Route,
} from './index.ts';
import { Random } from './testing/random.ts';

const random = new Random(20261124);

const received = (message: NetlinkMessage): ReceivedMessage => decodeMessages(encodeMessage(message))[0]!;

/** The answer of the kernel to the nth message of a request. */
function answer(sequence: number, errno: number, text = ''): Uint8Array {
  const body = new Uint8Array(4 + 16);
  const view = new DataView(body.buffer);
  view.setInt32(0, -errno, true);
  view.setUint32(4, 16, true);
  const tail = text === '' ? [] : [attribute(1, new TextEncoder().encode(`${text}\0`))];
  const flags = text === '' ? 0 : flag.ackTlvs | flag.capped;
  return encodeMessage({ type: messageType.error, flags, body: concat([body, ...tail]) }, sequence);
}

describe('attributes', () => {
  test('any list of attributes comes back as it was', () => {
    for (let round = 0; round < 300; round++) {
      const list = Array.from({ length: random.below(6) }, () => ({
        type: random.below(0x3fff),
        payload: random.bytes(random.below(40)),
      }));
      const decoded = decodeAttributes(concat(list.map(({ type, payload }) => attribute(type, payload))));
      assert.deepEqual(
        decoded.map(({ type, payload }) => ({ type, payload: Uint8Array.from(payload) })),
        list,
      );
    }
  });

  test('nesting is told', () => {
    const map = new AttributeMap(nested(7, [attribute(1, Uint8Array.of(5))]));
    assert.equal(map.map(7)?.u8(1), 5);
    assert.equal(decodeAttributes(nested(7, []))[0]?.nested, true);
  });

  test('a length that does not add up is an error', () => {
    for (const bytes of [
      [3, 0, 1, 0],
      [9, 0, 1, 0, 1, 2, 3, 4],
      [4, 0, 1, 0, 1, 2],
    ]) {
      assert.throws(() => decodeAttributes(Uint8Array.from(bytes)), { code: 'DataLoss' });
    }
    assert.throws(() => new AttributeMap(attribute(1, Uint8Array.of(1))).u32(1), { code: 'DataLoss' });
  });
});

describe('addresses', () => {
  test('IPv4 and IPv6 come back as written', () => {
    for (const text of [
      '0.0.0.0',
      '172.17.0.2',
      '255.255.255.255',
      '::',
      '::1',
      'fd00::1:0:0:2',
      'fe80::1',
      '1:2:3:4:5:6:7:8',
      '2001:db8::',
    ]) {
      assert.equal(decodeAddress(encodeAddress(text)), text);
    }
    assert.equal(decodeAddress(encodeAddress('::ffff:1.2.3.4')), '::ffff:102:304');
    assert.equal(decodeAddress(encodeAddress('1:0:0:2:0:0:0:3')), '1:0:0:2::3');
  });

  test('any sixteen bytes survive the way over text', () => {
    for (let round = 0; round < 500; round++) {
      const bytes = random.bytes(16).map(byte => (random.below(2) === 0 ? 0 : byte));
      assert.deepEqual(encodeAddress(decodeAddress(bytes)), bytes);
    }
  });

  test('what is no address is refused', () => {
    for (const text of ['', '1.2.3', '1.2.3.256', 'fe80::1%eth0', 'host']) {
      assert.throws(() => encodeAddress(text), { code: 'InvalidArgument' });
    }
    assert.throws(() => encodeHardwareAddress('02:42:ac:11:00'), { code: 'InvalidArgument' });
    assert.equal(decodeHardwareAddress(encodeHardwareAddress('02-42-AC-11-00-02')), '02:42:ac:11:00:02');
  });
});

describe('rtnetlink', () => {
  test('a veth with its peer in another namespace is one message, the pid at a findable place', () => {
    const message = createLink(
      { name: 'veth1', index: 70001, mtu: 1500, master: 3, up: true },
      {
        kind: 'veth',
        peer: { name: 'eth0', index: 70001, hardwareAddress: '02:42:ac:11:00:02', namespace: { pid: 0x7fabcdef } },
      },
    );
    const link = decodeLink(received(message));
    assert.deepEqual(link, { index: 70001, name: 'veth1', up: true, flags: 1, mtu: 1500, master: 3, kind: 'veth' });
    assert.ok(Buffer.from(encodeMessage(message)).includes(Buffer.from([0xef, 0xcd, 0xab, 0x7f])));
  });

  test('addresses and routes come back as they were', () => {
    for (let round = 0; round < 300; round++) {
      const size = random.below(2) === 0 ? 4 : 16;
      const address: InterfaceAddress = {
        index: random.below(1 << 30),
        address: decodeAddress(random.bytes(size)),
        prefixLength: random.below(size * 8 + 1),
        flags: random.below(0x400),
        scope: random.below(256),
        ...(size === 4 && { broadcast: decodeAddress(random.bytes(4)) }),
      };
      assert.deepEqual(decodeInterfaceAddress(received(addAddress(address))), address);
      const route: Route = {
        family: size === 4 ? 2 : 10,
        prefixLength: random.below(size * 8 + 1),
        destination: decodeAddress(random.bytes(size)),
        gateway: decodeAddress(random.bytes(size)),
        link: random.below(1 << 30),
        metric: random.below(1 << 30),
        source: decodeAddress(random.bytes(size)),
        table: 1 + random.below(100_000),
        type: 1,
      };
      assert.deepEqual(decodeRoute(received(addRoute(route))), route);
    }
  });
});

describe('nf_tables', () => {
  const table = { family: 'inet', table: 'berth-test' } as const;

  test('rules come back expression by expression', () => {
    const expressions: Expression[] = [
      { kind: 'meta', key: nft.metaKey.l4proto, dreg: nft.register.r1 },
      { kind: 'cmp', sreg: nft.register.r1, op: nft.compare.equal, data: Uint8Array.of(6) },
      { kind: 'payload', dreg: nft.register32(1), base: nft.payloadBase.transport, offset: 2, length: 2 },
      { kind: 'lookup', set: 'published4', sreg: 1, dreg: 1 },
      { kind: 'nat', type: nft.natType.destination, family: 2, addressMin: 1, protoMin: 9 },
      { kind: 'masq' },
      { kind: 'ct', key: nft.ctKey.state, dreg: 1 },
      { kind: 'bitwise', sreg: 1, dreg: 1, length: 4, mask: random.bytes(4), xor: new Uint8Array(4) },
      { kind: 'fib', dreg: 1, result: nft.fibResult.addressType, flags: nft.fibFlag.destination },
      { kind: 'immediate', dreg: 0, verdict: { code: nft.verdict.jump, chain: 'other' } },
      { kind: 'immediate', dreg: 1, data: Uint8Array.of(1, 2, 3, 4) },
      { kind: 'counter', bytes: 5n, packets: 6n },
      { kind: 'dynset', set: 'denied', op: 1, sregKey: 1, timeoutMs: 1000n },
      { kind: 'reject', type: 2, code: 3 },
      { kind: 'log', group: 5, prefix: 'x' },
      { kind: 'limit', rate: 10n, unit: 1n, burst: 5 },
      { kind: 'notrack' },
    ];
    const rule = decodeRule(received(addRule({ ...table, chain: 'forward', expressions, comment: 'all of them' })));
    assert.deepEqual(normal(rule.expressions), normal(expressions));
    assert.equal(rule.chain, 'forward');
  });

  test('elements come back, and many of them are split over messages', () => {
    const elements = Array.from({ length: 1234 }, (_, i) => ({
      key: Uint8Array.of(6, 0, 0, 0, i >> 8, i & 255, 0, 0),
      data: random.bytes(8),
      flags: 0,
      timeoutMs: 5n,
    }));
    const messages = addElements({ ...table, name: 'published4' }, elements);
    assert.equal(messages.length, 3);
    const back = messages.flatMap(message => decodeElements(received(message)));
    assert.deepEqual(normal(back), normal(elements));
  });

  test('chains and sets are decoded', () => {
    const base = { type: 'nat', hook: nft.hook.prerouting, priority: nft.priority.dstnat } as const;
    const chain = decodeChain(received(addChain({ ...table, name: 'prerouting', base })));
    assert.deepEqual(chain, { family: 1, table: 'berth-test', name: 'prerouting', policy: 1, ...base });
    assert.match(addSet({ ...table, name: 's', keyType: 7, keyLength: 4 }).what, /^add set/);
  });
});

const normal = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}n` : v instanceof Uint8Array ? [...v] : v)));

describe('conversation', () => {
  const message = (what: string): NetlinkMessage => ({
    type: 16,
    flags: flag.request | flag.ack,
    body: new Uint8Array(0),
    what,
  });
  const scripted = (reply: (bytes: Uint8Array) => Uint8Array) => new NetlinkClient({ request: reply, close: () => {} });

  test('an error names the message that was refused, the errno and the reason of the kernel', () => {
    const client = scripted(bytes => {
      const [first, second] = decodeMessages(bytes);
      return concat([answer(first!.sequence, 0), answer(second!.sequence, 17, 'Device already exists')]);
    });
    assert.throws(
      () => client.send([message('add link a'), message('add link b')]),
      err => isNetlinkError(err, 'EEXIST') && err.message === 'add link b: EEXIST (Device already exists)',
    );
  });

  test('a dump that was interrupted is asked again', () => {
    let asked = 0;
    const client = scripted(bytes => {
      const { sequence } = decodeMessages(bytes)[0]!;
      const flags = asked++ === 0 ? flag.dumpInterrupted : 0;
      return encodeMessage({ type: 16, flags, body: new Uint8Array(16) }, sequence);
    });
    assert.equal(client.dump(message('list links')).length, 1);
    assert.equal(asked, 2);
  });

  test('numbers of errors have names', () => {
    assert.equal(errnoName(19), 'ENODEV');
    assert.equal(errnoName(4711), 'errno 4711');
  });
});

test('no damaged message makes a decoder do anything but give a value or DataLoss', () => {
  const samples = [
    createLink({ name: 'a', up: true }, { kind: 'veth', peer: { name: 'b' } }),
    addAddress({ index: 1, address: '10.0.0.1', prefixLength: 24 }),
    addRoute({ family: 2, prefixLength: 0, gateway: '10.0.0.1' }),
    addRule({
      family: 'inet',
      table: 't',
      chain: 'c',
      expressions: [
        { kind: 'cmp', sreg: 1, op: 0, data: Uint8Array.of(1) },
        { kind: 'immediate', dreg: 0, verdict: { code: 0 } },
      ],
    }),
    ...addElements({ family: 'inet', table: 't', name: 's' }, [{ key: Uint8Array.of(1), data: Uint8Array.of(2) }]),
  ];
  const decoders = [
    decodeLink,
    decodeInterfaceAddress,
    decodeRoute,
    decodeRule,
    decodeElements,
    decodeChain,
    decodeAcknowledgement,
  ];
  for (let round = 0; round < 20_000; round++) {
    const bytes = encodeMessages([samples[random.below(samples.length)]!]);
    for (let flips = random.below(4); flips >= 0; flips--) bytes[random.below(bytes.length)] = random.below(256);
    const cut = bytes.subarray(0, random.below(3) === 0 ? random.below(bytes.length + 1) : bytes.length);
    try {
      for (const message of decodeMessages(cut)) decoders[random.below(decoders.length)]!(message);
    } catch (err) {
      assert.equal((err as { code?: string }).code, 'DataLoss', String((err as Error).stack));
    }
  }
});
