// Expressions in the words of `nft`, as far as our table needs them.

import { type Expression, encodeAddress, family, nft } from '../../netlink/index.ts';

const { register32, register, metaKey, payloadBase, compare } = nft;
const r1 = register.r1;

const u32le = (value: number): Uint8Array => {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value, true);
  return out;
};

const equal = (data: Uint8Array, op: number = compare.equal): Expression => ({ kind: 'cmp', sreg: r1, op, data });

/** Packets of one family only. */
export const isFamily = (version: 4 | 6): Expression[] => [
  { kind: 'meta', key: metaKey.nfproto, dreg: r1 },
  equal(Uint8Array.of(version === 4 ? family.inet : family.inet6)),
];

/** Established and related connections. */
export const isOldConnection = (): Expression[] => [
  { kind: 'ct', key: nft.ctKey.state, dreg: r1 },
  {
    kind: 'bitwise',
    sreg: r1,
    dreg: r1,
    length: 4,
    mask: u32le(nft.ctState.established | nft.ctState.related),
    xor: new Uint8Array(4),
  },
  equal(new Uint8Array(4), compare.notEqual),
];

/** Connections whose destination was rewritten, which is what publishing a port does. */
export const isDestinationRewritten = (): Expression[] => [
  { kind: 'ct', key: nft.ctKey.status, dreg: r1 },
  {
    kind: 'bitwise',
    sreg: r1,
    dreg: r1,
    length: 4,
    mask: u32le(nft.ctStatus.destinationNat),
    xor: new Uint8Array(4),
  },
  equal(new Uint8Array(4), compare.notEqual),
];

/** The device the packet came from (`iif`) or leaves by (`oif`) is in a set. */
export const device = (which: 'iif' | 'oif', set: string, not = false): Expression[] => [
  { kind: 'meta', key: metaKey[which], dreg: r1 },
  { kind: 'lookup', set, sreg: r1, ...(not && { flags: 1 }) },
];

/** The pair of both devices is in a set. */
export const devicePair = (set: string): Expression[] => [
  { kind: 'meta', key: metaKey.iif, dreg: r1 },
  { kind: 'meta', key: metaKey.oif, dreg: register32(1) },
  { kind: 'lookup', set, sreg: r1 },
];

/** The source address together with the device the packet leaves by is in a set. The family must have been checked. */
export const sourceAndOutput = (version: 4 | 6, set: string): Expression[] => [
  loadAddress(version, 'source', 0),
  { kind: 'meta', key: metaKey.oif, dreg: register32(version === 4 ? 1 : 4) },
  { kind: 'lookup', set, sreg: r1 },
];

/** The destination is (or is not) an address of this machine. */
export const isLocalDestination = (is = true): Expression[] => [
  { kind: 'fib', dreg: r1, result: nft.fibResult.addressType, flags: nft.fibFlag.destination },
  equal(u32le(nft.addressTypeLocal), is ? compare.equal : compare.notEqual),
];

const addressField = {
  4: { source: [12, 4], destination: [16, 4] },
  6: { source: [8, 16], destination: [24, 16] },
} as const;

/** 127.0.0.0/8 as destination or source. The family must have been checked. */
export const isLoopback4 = (end: 'source' | 'destination'): Expression[] => [
  { kind: 'payload', dreg: r1, base: payloadBase.network, offset: addressField[4][end][0], length: 1 },
  equal(Uint8Array.of(127)),
];

/** ::1 as destination. The family must have been checked. */
export const isLoopback6 = (): Expression[] => [
  { kind: 'payload', dreg: r1, base: payloadBase.network, offset: addressField[6].destination[0], length: 16 },
  equal(encodeAddress('::1')),
];

/** Address into the registers from the nth on. */
export const loadAddress = (version: 4 | 6, end: 'source' | 'destination', n: number): Expression => {
  const [offset, length] = addressField[version][end];
  return { kind: 'payload', dreg: register32(n), base: payloadBase.network, offset, length };
};

export const loadProtocol = (n: number): Expression => ({ kind: 'meta', key: metaKey.l4proto, dreg: register32(n) });

export const loadDestinationPort = (n: number): Expression => ({
  kind: 'payload',
  dreg: register32(n),
  base: payloadBase.transport,
  offset: 2,
  length: 2,
});

/** Rewrites the destination to the address and port that the look-up left in the first registers. */
export const rewriteDestination = (version: 4 | 6): Expression => ({
  kind: 'nat',
  type: nft.natType.destination,
  family: version === 4 ? family.inet : family.inet6,
  addressMin: register32(0),
  protoMin: register32(version === 4 ? 1 : 4),
  flags: 2, // NF_NAT_RANGE_PROTO_SPECIFIED
});

/** Rewrites the source to the address that a map has for the device the packet came from. The family must have been checked. */
export const rewriteSourceByDevice = (version: 4 | 6, map: string): Expression[] => [
  { kind: 'meta', key: metaKey.iif, dreg: r1 },
  { kind: 'lookup', set: map, sreg: r1, dreg: r1 },
  {
    kind: 'nat',
    type: nft.natType.source,
    family: version === 4 ? family.inet : family.inet6,
    addressMin: r1,
  },
];

export const finish = (code: number): Expression => ({ kind: 'immediate', dreg: register.verdict, verdict: { code } });
export const accept = (): Expression => finish(nft.verdict.accept);
export const drop = (): Expression => finish(nft.verdict.drop);
export const goBack = (): Expression => finish(nft.verdict.return);
export const masquerade = (): Expression => ({ kind: 'masq' });
