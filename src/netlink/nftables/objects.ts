// Tables, chains, sets, elements and rules as messages, and back.

import { DataLoss } from '../../errdefs/index.ts';
import { AttributeMap, attribute, concat, decodeText, nested, text, u32, u64 } from '../attributes.ts';
import { flag, type NetlinkMessage, type ReceivedMessage } from '../message.ts';
import { elementFlag, nftMessage, setFlag, tableFamily } from './constants.ts';
import {
  type DecodedExpression,
  decodeData,
  decodeExpressions,
  type Expression,
  encodeData,
  encodeExpressions,
  encodeVerdict,
  type Verdict,
} from './expressions.ts';

const subsystem = 10;
const tableAttribute = { name: 1, flags: 2 } as const;
const chainAttribute = { table: 1, name: 3, hook: 4, policy: 5, type: 7 } as const;
const hookAttribute = { number: 1, priority: 2 } as const;
const setAttribute = {
  table: 1,
  name: 2,
  flags: 3,
  keyType: 4,
  keyLength: 5,
  dataType: 6,
  dataLength: 7,
  desc: 9,
  id: 10,
  timeout: 11,
  userdata: 13,
} as const;
const descAttribute = { size: 1, concat: 2 } as const;
const elementListAttribute = { table: 1, set: 2, elements: 3 } as const;
const elementAttribute = { key: 1, data: 2, flags: 3, timeout: 4, expiration: 5, userdata: 6, keyEnd: 10 } as const;
const ruleAttribute = { table: 1, chain: 2, handle: 3, expressions: 4, userdata: 7 } as const;

/** Where an object lives. */
export interface TableRef {
  readonly family: keyof typeof tableFamily;
  readonly table: string;
}

/** struct nfgenmsg: family, version, big endian u16 resource. */
const header = (family: number, resource = 0): Uint8Array => Uint8Array.of(family, 0, resource >> 8, resource & 0xff);

function message(ref: TableRef, type: number, flags: number, what: string, attributes: Uint8Array[]): NetlinkMessage {
  return {
    type: (subsystem << 8) | type,
    // Every message of a transaction asks for an answer, so that a reader knows how many to expect; its edges give none (Linux < 6.10).
    flags: flag.request | ((flags & flag.dump) === flag.dump ? 0 : flag.ack) | flags,
    body: concat([header(tableFamily[ref.family]), ...attributes]),
    what,
  };
}

/** One transaction: either all of it is in force at once, or nothing. */
export function transaction(messages: readonly NetlinkMessage[]): NetlinkMessage[] {
  const edge = (type: number, what: string): NetlinkMessage => ({
    type,
    flags: flag.request,
    body: header(0, subsystem),
    what,
  });
  return [edge(16, 'begin the nf_tables transaction'), ...messages, edge(17, 'commit the nf_tables transaction')];
}

/** Adds a table; `exclusive` refuses one that exists with EEXIST. */
export const addTable = (ref: TableRef, flags = 0, exclusive = false): NetlinkMessage =>
  message(
    ref,
    nftMessage.newTable,
    flag.create | (exclusive ? flag.exclusive : 0),
    `add table ${ref.family} ${ref.table}`,
    [text(tableAttribute.name, ref.table), u32(tableAttribute.flags, flags, false)],
  );

/** Every table of every family that nobody owns: `nft flush ruleset`. */
export const flushRuleset = (): NetlinkMessage => ({
  type: (subsystem << 8) | nftMessage.deleteTable,
  flags: flag.request | flag.ack,
  body: header(0),
  what: 'flush the rule set',
});

export const deleteTable = (ref: TableRef): NetlinkMessage =>
  message(ref, nftMessage.deleteTable, 0, `delete table ${ref.family} ${ref.table}`, [
    text(tableAttribute.name, ref.table),
  ]);

export interface Chain extends TableRef {
  readonly name: string;
  /** A base chain sees packets at a hook; any other is jumped to. */
  readonly base?: { type: 'filter' | 'nat' | 'route'; hook: number; priority: number; policy?: number };
}

export function addChain(chain: Chain): NetlinkMessage {
  const attributes = [text(chainAttribute.table, chain.table), text(chainAttribute.name, chain.name)];
  if (chain.base !== undefined) {
    attributes.push(
      nested(chainAttribute.hook, [
        u32(hookAttribute.number, chain.base.hook, false),
        u32(hookAttribute.priority, chain.base.priority, false),
      ]),
      u32(chainAttribute.policy, chain.base.policy ?? 1, false),
      text(chainAttribute.type, chain.base.type),
    );
  }
  return message(chain, nftMessage.newChain, flag.create, `add chain ${chain.table} ${chain.name}`, attributes);
}

export interface NftSet extends TableRef {
  readonly name: string;
  readonly keyType: number;
  readonly keyLength: number;
  /** A map when given. */
  readonly dataType?: number;
  readonly dataLength?: number;
  readonly flags?: number;
  readonly timeoutMs?: number;
  readonly size?: number;
  /** Byte length of each part of a concatenated key; needed where the parts are ranges. */
  readonly fieldLengths?: readonly number[];
  /** The key is a number in the host's byte order; only `nft list` looks at it. */
  readonly hostOrder?: boolean;
}

/** Sets need a number within their transaction; rules name them by it or by name. */
let setNumber = 0;

export function addSet(set: NftSet): NetlinkMessage {
  setNumber = (setNumber + 1) & 0xffff;
  const ranges = set.fieldLengths !== undefined;
  const flags = (set.flags ?? 0) | (set.dataType === undefined ? 0 : setFlag.map) | (ranges ? setFlag.concat : 0);
  const attributes = [
    text(setAttribute.table, set.table),
    text(setAttribute.name, set.name),
    u32(setAttribute.flags, flags, false),
    u32(setAttribute.keyType, set.keyType, false),
    u32(setAttribute.keyLength, set.keyLength, false),
    u32(setAttribute.id, setNumber, false),
  ];
  if (set.dataType !== undefined) attributes.push(u32(setAttribute.dataType, set.dataType, false));
  if (set.dataLength !== undefined) attributes.push(u32(setAttribute.dataLength, set.dataLength, false));
  if (set.timeoutMs !== undefined) attributes.push(u64(setAttribute.timeout, BigInt(set.timeoutMs), false));
  const desc: Uint8Array[] = [];
  if (set.size !== undefined) desc.push(u32(descAttribute.size, set.size, false));
  if (set.fieldLengths !== undefined) {
    desc.push(
      nested(
        descAttribute.concat,
        set.fieldLengths.map(length => nested(1, [u32(1, length, false)])),
      ),
    );
  }
  if (desc.length > 0) attributes.push(nested(setAttribute.desc, desc));
  attributes.push(attribute(setAttribute.userdata, Uint8Array.of(0, 4, set.hostOrder === true ? 1 : 2, 0, 0, 0)));
  const word = set.dataType === undefined ? 'set' : 'map';
  return message(set, nftMessage.newSet, flag.create, `add ${word} ${set.table} ${set.name}`, attributes);
}

export interface SetElement {
  readonly key: Uint8Array;
  /** End of the range (inclusive), in sets whose keys are concatenated ranges. */
  readonly keyEnd?: Uint8Array;
  readonly data?: Uint8Array;
  readonly verdict?: Verdict;
  readonly flags?: number;
  readonly timeoutMs?: bigint;
}

function encodeElement(element: SetElement): Uint8Array {
  const attributes = [encodeData(elementAttribute.key, element.key)];
  if (element.keyEnd !== undefined) attributes.push(encodeData(elementAttribute.keyEnd, element.keyEnd));
  if (element.data !== undefined) attributes.push(encodeData(elementAttribute.data, element.data));
  if (element.verdict !== undefined) attributes.push(encodeVerdict(elementAttribute.data, element.verdict));
  if (element.flags !== undefined) attributes.push(u32(elementAttribute.flags, element.flags, false));
  if (element.timeoutMs !== undefined) attributes.push(u64(elementAttribute.timeout, element.timeoutMs, false));
  return nested(1, attributes);
}

/** An attribute holds less than 64 KiB, so that many elements take several messages. */
const elementsPerMessage = 500;

function elementMessages(
  set: TableRef & { name: string },
  type: number,
  flags: number,
  what: string,
  elements: readonly SetElement[],
): NetlinkMessage[] {
  const out: NetlinkMessage[] = [];
  for (let first = 0; first < elements.length; first += elementsPerMessage) {
    const some = elements.slice(first, first + elementsPerMessage);
    out.push(
      message(set, type, flags, `${what} ${set.table} ${set.name}`, [
        text(elementListAttribute.table, set.table),
        text(elementListAttribute.set, set.name),
        nested(elementListAttribute.elements, some.map(encodeElement)),
      ]),
    );
  }
  return out;
}

/** Adds elements; one that is there already is fine, unless a map has another value for it (EEXIST). */
export const addElements = (set: TableRef & { name: string }, elements: readonly SetElement[]): NetlinkMessage[] =>
  elementMessages(set, nftMessage.newElement, flag.create, 'add elements to', elements);

/** Removes elements; ENOENT when one is not there. */
export const deleteElements = (set: TableRef & { name: string }, elements: readonly SetElement[]): NetlinkMessage[] =>
  elementMessages(set, nftMessage.deleteElement, 0, 'delete elements from', elements);

/** The two elements of a prefix or range in an interval set: its first key, and the first key behind it. */
export function intervalElements(first: Uint8Array, behind: Uint8Array | undefined): SetElement[] {
  return [{ key: first }, ...(behind === undefined ? [] : [{ key: behind, flags: elementFlag.intervalEnd }])];
}

export interface Rule extends TableRef {
  readonly chain: string;
  readonly expressions: readonly Expression[];
  readonly comment?: string;
  /** At the beginning of the chain instead of its end. */
  readonly first?: boolean;
}

export function addRule(rule: Rule): NetlinkMessage {
  const comment = new TextEncoder().encode(`${rule.comment ?? ''}\0`);
  const words = rule.comment === undefined ? '' : `: ${rule.comment}`;
  const place = rule.first === true ? 0 : flag.append;
  return message(rule, nftMessage.newRule, flag.create | place, `add rule ${rule.table} ${rule.chain}${words}`, [
    text(ruleAttribute.table, rule.table),
    text(ruleAttribute.chain, rule.chain),
    encodeExpressions(ruleAttribute.expressions, rule.expressions),
    ...(rule.comment === undefined
      ? []
      : [attribute(ruleAttribute.userdata, concat([Uint8Array.of(0, comment.length), comment]))]),
  ]);
}

export const deleteRule = (rule: TableRef & { chain: string; handle: bigint }): NetlinkMessage =>
  message(rule, nftMessage.deleteRule, 0, `delete a rule of ${rule.table} ${rule.chain}`, [
    text(ruleAttribute.table, rule.table),
    text(ruleAttribute.chain, rule.chain),
    u64(ruleAttribute.handle, rule.handle, false),
  ]);

/** The number of the rule set in force: another one means that somebody changed something. */
export const getGeneration = (): NetlinkMessage => ({
  type: (subsystem << 8) | nftMessage.getGeneration,
  flags: flag.request | flag.ack,
  body: header(0),
  what: 'get the generation of the rule set',
});

export const decodeGeneration = (received: ReceivedMessage): number => attributesOf(received).u32(1, false) ?? 0;

/** All tables of every family. */
export const listTables = (): NetlinkMessage => ({
  type: (subsystem << 8) | nftMessage.getTable,
  flags: flag.request | flag.dump,
  body: header(0),
  what: 'list tables',
});

export const listRules = (ref: TableRef): NetlinkMessage =>
  message(ref, nftMessage.getRule, flag.dump, `list rules of ${ref.table}`, [text(ruleAttribute.table, ref.table)]);

export const listChains = (family: keyof typeof tableFamily): NetlinkMessage =>
  message({ family, table: '' }, nftMessage.getChain, flag.dump, `list chains of family ${family}`, []);

export const listElements = (set: TableRef & { name: string }): NetlinkMessage =>
  message(set, nftMessage.getElement, flag.dump, `list elements of ${set.table} ${set.name}`, [
    text(elementListAttribute.table, set.table),
    text(elementListAttribute.set, set.name),
  ]);

const attributesOf = (received: ReceivedMessage): AttributeMap => {
  if (received.body.length < 4) throw new DataLoss(`nf_tables message of ${received.body.length} bytes`);
  return new AttributeMap(received.body.subarray(4));
};

export const familyOfMessage = (received: ReceivedMessage): number => received.body[0] ?? 0;

export function decodeTable(received: ReceivedMessage): { family: number; table: string; flags: number } {
  const map = attributesOf(received);
  return {
    family: familyOfMessage(received),
    table: map.text(tableAttribute.name) ?? '',
    flags: map.u32(tableAttribute.flags, false) ?? 0,
  };
}

/** A chain as the kernel tells it. */
export interface DecodedChain {
  readonly family: number;
  readonly table: string;
  readonly name: string;
  readonly type?: string;
  readonly hook?: number;
  readonly priority?: number;
  readonly policy?: number;
}

export function decodeChain(received: ReceivedMessage): DecodedChain {
  const map = attributesOf(received);
  const base = map.map(chainAttribute.hook);
  const type = map.text(chainAttribute.type);
  const hook = base?.u32(hookAttribute.number, false);
  const priority = base?.u32(hookAttribute.priority, false);
  const policy = map.u32(chainAttribute.policy, false);
  return {
    family: familyOfMessage(received),
    table: map.text(chainAttribute.table) ?? '',
    name: map.text(chainAttribute.name) ?? '',
    ...(type !== undefined && { type }),
    ...(hook !== undefined && { hook }),
    ...(priority !== undefined && { priority: priority | 0 }),
    ...(policy !== undefined && { policy }),
  };
}

export interface DecodedRule {
  readonly table: string;
  readonly chain: string;
  readonly expressions: DecodedExpression[];
  readonly handle: bigint;
  readonly comment?: string;
}

export function decodeRule(received: ReceivedMessage): DecodedRule {
  const map = attributesOf(received);
  const comment = decodeComment(map.bytes(ruleAttribute.userdata));
  return {
    handle: map.u64(ruleAttribute.handle, false) ?? 0n,
    ...(comment !== undefined && { comment }),
    table: map.text(ruleAttribute.table) ?? '',
    chain: map.text(ruleAttribute.chain) ?? '',
    expressions: decodeExpressions(map.bytes(ruleAttribute.expressions) ?? new Uint8Array(0)),
  };
}

/** The comment among what the maker of a rule stored with it: u8 type, u8 length, value; 0 is the comment. */
function decodeComment(userdata: Uint8Array | undefined): string | undefined {
  if (userdata === undefined || userdata.length < 3 || userdata[0] !== 0) return undefined;
  const length = userdata[1] ?? 0;
  return length === 0 || 2 + length > userdata.length ? undefined : decodeText(userdata.subarray(2, 2 + length));
}

export function decodeElements(received: ReceivedMessage): SetElement[] {
  return attributesOf(received)
    .list(elementListAttribute.elements)
    .map(({ payload }) => decodeElement(payload));
}

function decodeElement(payload: Uint8Array): SetElement {
  const map = new AttributeMap(payload);
  const value = (type: number): Uint8Array | undefined => {
    const bytes = map.bytes(type);
    const decoded = bytes === undefined ? undefined : decodeData(bytes);
    return decoded !== undefined && 'data' in decoded ? decoded.data : undefined;
  };
  const dataBytes = map.bytes(elementAttribute.data);
  const decodedData = dataBytes === undefined ? {} : decodeData(dataBytes);
  const keyEnd = value(elementAttribute.keyEnd);
  const flags = map.u32(elementAttribute.flags, false);
  const timeoutMs = map.u64(elementAttribute.timeout, false);
  return {
    key: value(elementAttribute.key) ?? new Uint8Array(0),
    ...(keyEnd !== undefined && { keyEnd }),
    ...decodedData,
    ...(flags !== undefined && { flags }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}
