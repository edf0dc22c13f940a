// The part of the table that holds networks and containers to their egress policies. Two chains of one shape: for whole networks,
// known by their bridge, and for single containers, known by their address. Each looks the connection up with and without its
// protocol and port (0 stands for any), notes what it did not find, and turns it away so that the program hears of it at once.

import { type Expression, type NftSet, nft, type TableRef } from '../../netlink/index.ts';
import { setName } from './set-names.ts';
import * as words from './words.ts';

const { concatType, dataType, register, register32, compare, setFlag } = nft;
const r1 = register.r1;

export interface RuleOf {
  readonly chain: string;
  readonly comment: string;
  readonly expressions: Expression[];
}

const networkChain = 'egress-network';
const ownChain = 'egress-container';
export const egressChains = [networkChain, ownChain] as const;

/** How long what was turned away is remembered after its last packet. */
const deniedMs = 60_000;

export function egressSets(ref: TableRef): NftSet[] {
  const { ipv4, ipv6, protocol, service } = dataType;
  const key4 = { keyType: concatType(ipv4, ipv4, protocol, service), keyLength: 16 };
  const key6 = { keyType: concatType(ipv6, ipv6, protocol, service), keyLength: 40 };
  const ranges = { flags: setFlag.interval | setFlag.timeout };
  const [fields4, fields6] = [
    [4, 4, 4, 4],
    [16, 16, 4, 4],
  ];
  const noted = { flags: setFlag.timeout | setFlag.eval, timeoutMs: deniedMs, size: 4096 };
  return [
    { ...ref, name: setName.restricted, keyType: dataType.interfaceIndex, keyLength: 4, hostOrder: true },
    { ...ref, name: setName.bound4, keyType: ipv4, keyLength: 4 },
    { ...ref, name: setName.bound6, keyType: ipv6, keyLength: 16 },
    { ...ref, name: setName.allowed4, ...key4, ...ranges, fieldLengths: fields4 },
    { ...ref, name: setName.allowed6, ...key6, ...ranges, fieldLengths: fields6 },
    { ...ref, name: setName.ownAllowed4, ...key4, ...ranges, fieldLengths: fields4 },
    { ...ref, name: setName.ownAllowed6, ...key6, ...ranges, fieldLengths: fields6 },
    { ...ref, name: setName.denied4, ...key4, ...noted },
    { ...ref, name: setName.denied6, ...key6, ...noted },
  ];
}

const jump = (chain: string): Expression => ({
  kind: 'immediate',
  dreg: register.verdict,
  verdict: { code: nft.verdict.jump, chain },
});

/** Sends what is held to a policy into its chain. */
export const boundTraffic = (chain: string): RuleOf[] => [
  {
    chain,
    comment: 'networks with an egress policy',
    expressions: [...words.device('iif', setName.restricted), jump(networkChain)],
  },
  ...([4, 6] as const).map(version => ({
    chain,
    comment: `containers with an egress policy, IPv${version}`,
    expressions: [
      ...words.isFamily(version),
      words.loadAddress(version, 'source', 0),
      { kind: 'lookup', set: version === 4 ? setName.bound4 : setName.bound6, sreg: r1 } as const,
      jump(ownChain),
    ],
  })),
];

const zero = (n: number): Expression => ({ kind: 'immediate', dreg: register32(n), data: new Uint8Array(4) });

/** Source, destination, protocol and port into the registers, 0 for what shall not count. */
function loadConnection(version: 4 | 6, protocol: boolean, port: boolean): Expression[] {
  const words32 = version === 4 ? 1 : 4;
  return [
    words.loadAddress(version, 'source', 0),
    words.loadAddress(version, 'destination', words32),
    protocol ? words.loadProtocol(2 * words32) : zero(2 * words32),
    port ? words.loadDestinationPort(2 * words32 + 1) : zero(2 * words32 + 1),
  ];
}

const isProtocol = (number: number, op: number = compare.equal): Expression[] => [
  words.loadProtocol(0),
  { kind: 'cmp', sreg: r1, op, data: Uint8Array.of(number) },
];

/** Neighbour and router discovery of IPv6, without which there are no packets at all. */
const isNeighbourDiscovery = (): Expression[] => [
  ...words.isFamily(6),
  ...isProtocol(58),
  { kind: 'payload', dreg: r1, base: nft.payloadBase.transport, offset: 0, length: 1 },
  { kind: 'cmp', sreg: r1, op: compare.greaterOrEqual, data: Uint8Array.of(133) },
  { kind: 'cmp', sreg: r1, op: compare.lessOrEqual, data: Uint8Array.of(137) },
];

export function egressRules(): RuleOf[] {
  return egressChains.flatMap(chain => [
    { chain, comment: 'neighbours', expressions: [...isNeighbourDiscovery(), words.goBack()] },
    ...([4, 6] as const).flatMap(version => allowedRules(chain, version)),
    ...([4, 6] as const).flatMap(version => notingRules(chain, version)),
    {
      chain,
      comment: 'turned away',
      expressions: [{ kind: 'reject', type: nft.rejectType.icmpx, code: nft.icmpxCode.adminProhibited } as const],
    },
  ]);
}

function allowedRules(chain: string, version: 4 | 6): RuleOf[] {
  const own = version === 4 ? setName.ownAllowed4 : setName.ownAllowed6;
  const set = chain === ownChain ? own : version === 4 ? setName.allowed4 : setName.allowed6;
  return [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ].map(([protocol = false, port = false]) => ({
    chain,
    comment: `allowed IPv${version}${protocol ? ', one protocol' : ''}${port ? ', one port' : ''}`,
    expressions: [
      ...words.isFamily(version),
      ...loadConnection(version, protocol, port),
      { kind: 'lookup', set, sreg: r1 },
      words.goBack(),
    ],
  }));
}

/** Ports where the protocol has them: what stands there in others is nobody's business. */
function notingRules(chain: string, version: 4 | 6): RuleOf[] {
  const set = version === 4 ? setName.denied4 : setName.denied6;
  const note = (port: boolean, condition: Expression[]): RuleOf => ({
    chain,
    comment: `note it, IPv${version}`,
    expressions: [
      ...words.isFamily(version),
      ...condition,
      ...loadConnection(version, true, port),
      { kind: 'dynset', set, op: 1, sregKey: r1, timeoutMs: BigInt(deniedMs) },
    ],
  });
  return [
    note(true, isProtocol(6)),
    note(true, isProtocol(17)),
    note(false, [...isProtocol(6, compare.notEqual), ...isProtocol(17, compare.notEqual)]),
  ];
}
