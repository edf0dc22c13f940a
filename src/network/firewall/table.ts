// Our nf_tables table. The number of chains and rules is always the same; what networks and ports there are is in its sets and
// maps, which the kernel looks up by hash: the thousandth port costs a packet no more than the first.
//
//   raw-prerouting   containers must not reach 127.0.0.1 of the host, which `route_localnet` would let them
//   prerouting       a packet to an address of this machine and a published port goes to the container
//   output           the same for packets of this machine itself
//   forward          who may talk to whom
//   input            the same for what is meant for this machine, of networks with an egress policy
//   postrouting      containers go out under this machine's address
//
// An accept here ends only our own table: other tables (a firewall of the host, a real dockerd) still have their say.

import {
  addChain,
  addRule,
  addSet,
  addTable,
  type Expression,
  type NetlinkMessage,
  type NftSet,
  nft,
  type TableRef,
} from '../../netlink/index.ts';
import { boundTraffic, egressChains, egressRules, egressSets, type RuleOf } from './egress-rules.ts';
import { setName } from './set-names.ts';
import * as words from './words.ts';

const { concatType, dataType } = nft;

export const tableRef = (name: string): TableRef => ({ family: 'inet', table: name });

function sets(ref: TableRef): NftSet[] {
  const index = { keyType: dataType.interfaceIndex, keyLength: 4, hostOrder: true };
  const target4 = { dataType: concatType(dataType.ipv4, dataType.service), dataLength: 8 };
  const target6 = { dataType: concatType(dataType.ipv6, dataType.service), dataLength: 20 };
  const port = { keyType: concatType(dataType.protocol, dataType.service), keyLength: 8 };
  const at4 = { keyType: concatType(dataType.protocol, dataType.ipv4, dataType.service), keyLength: 12 };
  const at6 = { keyType: concatType(dataType.protocol, dataType.ipv6, dataType.service), keyLength: 24 };
  return [
    { ...ref, name: setName.bridges, ...index },
    {
      ...ref,
      name: setName.pairs,
      keyType: concatType(dataType.interfaceIndex, dataType.interfaceIndex),
      keyLength: 8,
      hostOrder: true,
    },
    // Ranges of addresses together with their bridge.
    {
      ...ref,
      name: setName.own4,
      keyType: concatType(dataType.ipv4, dataType.interfaceIndex),
      keyLength: 8,
      flags: nft.setFlag.interval,
      fieldLengths: [4, 4],
    },
    {
      ...ref,
      name: setName.own6,
      keyType: concatType(dataType.ipv6, dataType.interfaceIndex),
      keyLength: 20,
      flags: nft.setFlag.interval,
      fieldLengths: [16, 4],
    },
    { ...ref, name: setName.internal, ...index },
    { ...ref, name: setName.masquerade4, ...index },
    { ...ref, name: setName.masquerade6, ...index },
    { ...ref, name: setName.snat4, ...index, dataType: dataType.ipv4, dataLength: 4 },
    { ...ref, name: setName.snat6, ...index, dataType: dataType.ipv6, dataLength: 16 },
    { ...ref, name: setName.routed, ...index },
    { ...ref, name: setName.open4, ...at4 },
    { ...ref, name: setName.open6, ...at6 },
    { ...ref, name: setName.published4, ...port, ...target4 },
    { ...ref, name: setName.published6, ...port, ...target6 },
    { ...ref, name: setName.publishedAt4, ...at4, ...target4 },
    { ...ref, name: setName.publishedAt6, ...at6, ...target6 },
    ...egressSets(ref),
  ];
}

/** `dnat to protocol . [address .] port map @…`: a packet without an element goes on to the next rule. */
const toPublished = (version: 4 | 6, at: boolean): Expression[] => [
  ...words.isFamily(version),
  words.loadProtocol(0),
  ...(at ? [words.loadAddress(version, 'destination', 1)] : []),
  words.loadDestinationPort(at ? (version === 4 ? 2 : 5) : 1),
  {
    kind: 'lookup',
    set: at
      ? version === 4
        ? setName.publishedAt4
        : setName.publishedAt6
      : version === 4
        ? setName.published4
        : setName.published6,
    sreg: nft.register.r1,
    dreg: nft.register.r1,
  },
  words.rewriteDestination(version),
];

/** Traffic to a port that a network with routed gateway mode has opened. */
const isOpenPort = (version: 4 | 6): Expression[] => [
  ...words.isFamily(version),
  words.loadProtocol(0),
  words.loadAddress(version, 'destination', 1),
  words.loadDestinationPort(version === 4 ? 2 : 5),
  { kind: 'lookup', set: version === 4 ? setName.open4 : setName.open6, sreg: nft.register.r1 },
];

function rules(): RuleOf[] {
  const published = (chain: string): RuleOf[] =>
    ([4, 6] as const).flatMap(version =>
      [true, false].map(at => ({
        chain,
        comment: `published IPv${version} ports ${at ? 'of one address' : 'of every address'}`,
        expressions: toPublished(version, at),
      })),
    );
  return [
    {
      chain: 'raw-prerouting',
      comment: 'the loopback of the host is not for containers',
      expressions: [
        ...words.isFamily(4),
        ...words.isLoopback4('destination'),
        ...words.device('iif', setName.bridges),
        words.drop(),
      ],
    },
    {
      chain: 'prerouting',
      comment: 'only for this machine',
      expressions: [...words.isLocalDestination(false), words.goBack()],
    },
    {
      chain: 'prerouting',
      comment: 'ports of 127.0.0.1 are for this machine itself',
      expressions: [...words.isFamily(4), ...words.isLoopback4('destination'), words.goBack()],
    },
    ...published('prerouting'),
    {
      chain: 'output',
      comment: 'only for this machine',
      expressions: [...words.isLocalDestination(false), words.goBack()],
    },
    {
      chain: 'output',
      comment: '::1 cannot leave the loopback: the proxy serves it',
      expressions: [...words.isFamily(6), ...words.isLoopback6(), words.goBack()],
    },
    ...published('output'),
    {
      chain: 'input',
      comment: 'what was let through goes on',
      expressions: [...words.isOldConnection(), words.accept()],
    },
    ...boundTraffic('input'),
    {
      chain: 'forward',
      comment: 'what was let through goes on',
      expressions: [...words.isOldConnection(), words.accept()],
    },
    {
      chain: 'forward',
      comment: 'within one network',
      expressions: [...words.devicePair(setName.pairs), words.accept()],
    },
    ...boundTraffic('forward'),
    {
      chain: 'forward',
      comment: 'internal networks have no way out',
      expressions: [...words.device('iif', setName.internal), words.drop()],
    },
    {
      chain: 'forward',
      comment: 'published ports',
      expressions: [...words.device('oif', setName.bridges), ...words.isDestinationRewritten(), words.accept()],
    },
    {
      chain: 'forward',
      comment: 'networks that are routed as a whole',
      expressions: [...words.device('oif', setName.routed), words.accept()],
    },
    ...([4, 6] as const).map(version => ({
      chain: 'forward',
      comment: `open IPv${version} ports of routed networks`,
      expressions: [...isOpenPort(version), ...words.device('oif', setName.bridges), words.accept()],
    })),
    {
      chain: 'forward',
      comment: 'nobody else reaches a container',
      expressions: [...words.device('oif', setName.bridges), words.drop()],
    },
    // By address and not by `iif`: a frame that the bridge itself turns around (br_netfilter) has none here.
    ...([4, 6] as const).map(version => ({
      chain: 'postrouting',
      comment: `a container that calls a published port of its own network, IPv${version}`,
      expressions: [
        ...words.isDestinationRewritten(),
        ...words.isFamily(version),
        ...words.sourceAndOutput(version, version === 4 ? setName.own4 : setName.own6),
        words.masquerade(),
      ],
    })),
    {
      chain: 'postrouting',
      comment: 'this machine calls a published port as 127.0.0.1',
      expressions: [
        ...words.isFamily(4),
        ...words.isLoopback4('source'),
        ...words.device('oif', setName.bridges),
        words.masquerade(),
      ],
    },
    {
      chain: 'postrouting',
      comment: 'between our networks addresses stay',
      expressions: [...words.device('oif', setName.bridges), words.goBack()],
    },
    ...([4, 6] as const).map(version => ({
      chain: 'postrouting',
      comment: `IPv${version} to the world under a certain address`,
      expressions: [
        ...words.isFamily(version),
        ...words.rewriteSourceByDevice(version, version === 4 ? setName.snat4 : setName.snat6),
      ],
    })),
    {
      chain: 'postrouting',
      comment: 'IPv4 to the world',
      expressions: [...words.isFamily(4), ...words.device('iif', setName.masquerade4), words.masquerade()],
    },
    {
      chain: 'postrouting',
      comment: 'IPv6 to the world',
      expressions: [...words.isFamily(6), ...words.device('iif', setName.masquerade6), words.masquerade()],
    },
  ];
}

/** The messages that make the empty table. */
export function createTable(ref: TableRef, tableFlags: number): NetlinkMessage[] {
  const { hook, priority } = nft;
  const chain = (name: string, type: 'filter' | 'nat', at: number, when: number) =>
    addChain({ ...ref, name, base: { type, hook: at, priority: when } });
  return [
    addTable(ref, tableFlags),
    ...sets(ref).map(addSet),
    chain('raw-prerouting', 'filter', hook.prerouting, priority.raw),
    chain('prerouting', 'nat', hook.prerouting, priority.dstnat),
    chain('output', 'nat', hook.output, priority.dstnat),
    ...egressChains.map(name => addChain({ ...ref, name })),
    chain('input', 'filter', hook.input, priority.filter),
    chain('forward', 'filter', hook.forward, priority.filter),
    chain('postrouting', 'nat', hook.postrouting, priority.srcnat),
    ...[...rules(), ...egressRules()].map(rule => addRule({ ...ref, ...rule })),
  ];
}
