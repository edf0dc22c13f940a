// The expressions that rules are made of. Each kind is a table of attribute numbers; one encoder and one decoder serve all.

import { DataLoss } from '../../errdefs/index.ts';
import { AttributeMap, attribute, decodeAttributes, nested, text, u8, u32, u64 } from '../attributes.ts';

/** What a rule does when it is reached, or what a map of verdicts answers. */
export interface Verdict {
  readonly code: number;
  /** For jump and goto. */
  readonly chain?: string;
}

export type Expression =
  | { readonly kind: 'meta'; readonly key: number; readonly dreg?: number; readonly sreg?: number }
  | { readonly kind: 'cmp'; readonly sreg: number; readonly op: number; readonly data: Uint8Array }
  | {
      /** Loads from the packet into `dreg`, or writes `sreg` into it and sets the checksum right (type 1: as IP, UDP and TCP do it). */
      readonly kind: 'payload';
      readonly dreg?: number;
      readonly base: number;
      readonly offset: number;
      readonly length: number;
      readonly sreg?: number;
      readonly checksumType?: number;
      readonly checksumOffset?: number;
    }
  | {
      readonly kind: 'lookup';
      readonly set: string;
      readonly sreg: number;
      readonly dreg?: number;
      /** 1: match what is not in the set. */
      readonly flags?: number;
    }
  | { readonly kind: 'immediate'; readonly dreg: number; readonly data?: Uint8Array; readonly verdict?: Verdict }
  | {
      readonly kind: 'nat';
      readonly type: number;
      readonly family: number;
      readonly addressMin?: number;
      readonly addressMax?: number;
      readonly protoMin?: number;
      readonly protoMax?: number;
      readonly flags?: number;
    }
  | { readonly kind: 'masq'; readonly flags?: number }
  | {
      readonly kind: 'ct';
      readonly key: number;
      readonly dreg?: number;
      readonly sreg?: number;
      readonly direction?: number;
    }
  | { readonly kind: 'fib'; readonly dreg: number; readonly result: number; readonly flags: number }
  | { readonly kind: 'counter'; readonly bytes?: bigint; readonly packets?: bigint }
  | {
      readonly kind: 'bitwise';
      readonly sreg: number;
      readonly dreg: number;
      readonly length: number;
      readonly mask: Uint8Array;
      readonly xor: Uint8Array;
    }
  | {
      readonly kind: 'dynset';
      readonly set: string;
      /** 0 add, 1 update, 2 delete. */
      readonly op: number;
      readonly sregKey: number;
      readonly sregData?: number;
      readonly timeoutMs?: bigint;
    }
  | { readonly kind: 'reject'; readonly type: number; readonly code?: number }
  | { readonly kind: 'log'; readonly group?: number; readonly prefix?: string; readonly snaplen?: number }
  | { readonly kind: 'limit'; readonly rate: bigint; readonly unit: bigint; readonly burst?: number }
  | { readonly kind: 'notrack' };

type FieldType = 'u8' | 'u16' | 'u32' | 'u64' | 'text' | 'data' | 'dataOrVerdict';
type Fields = Readonly<Record<string, readonly [number, FieldType]>>;

const kinds: Readonly<Record<Expression['kind'], Fields>> = {
  meta: { dreg: [1, 'u32'], key: [2, 'u32'], sreg: [3, 'u32'] },
  cmp: { sreg: [1, 'u32'], op: [2, 'u32'], data: [3, 'data'] },
  payload: {
    dreg: [1, 'u32'],
    base: [2, 'u32'],
    offset: [3, 'u32'],
    length: [4, 'u32'],
    sreg: [5, 'u32'],
    checksumType: [6, 'u32'],
    checksumOffset: [7, 'u32'],
  },
  lookup: { set: [1, 'text'], sreg: [2, 'u32'], dreg: [3, 'u32'], flags: [5, 'u32'] },
  immediate: { dreg: [1, 'u32'], data: [2, 'dataOrVerdict'] },
  nat: {
    type: [1, 'u32'],
    family: [2, 'u32'],
    addressMin: [3, 'u32'],
    addressMax: [4, 'u32'],
    protoMin: [5, 'u32'],
    protoMax: [6, 'u32'],
    flags: [7, 'u32'],
  },
  masq: { flags: [1, 'u32'] },
  ct: { dreg: [1, 'u32'], key: [2, 'u32'], direction: [3, 'u8'], sreg: [4, 'u32'] },
  fib: { dreg: [1, 'u32'], result: [2, 'u32'], flags: [3, 'u32'] },
  counter: { bytes: [1, 'u64'], packets: [2, 'u64'] },
  bitwise: { sreg: [1, 'u32'], dreg: [2, 'u32'], length: [3, 'u32'], mask: [4, 'data'], xor: [5, 'data'] },
  dynset: {
    set: [1, 'text'],
    op: [3, 'u32'],
    sregKey: [4, 'u32'],
    sregData: [5, 'u32'],
    timeoutMs: [6, 'u64'],
  },
  reject: { type: [1, 'u32'], code: [2, 'u8'] },
  log: { group: [1, 'u16'], prefix: [2, 'text'], snaplen: [3, 'u32'] },
  limit: { rate: [1, 'u64'], unit: [2, 'u64'], burst: [3, 'u32'] },
  notrack: {},
};

const expressionAttribute = { name: 1, data: 2 } as const;
const listElement = 1;
const dataAttribute = { value: 1, verdict: 2 } as const;
const verdictAttribute = { code: 1, chain: 2 } as const;

export const encodeData = (type: number, value: Uint8Array): Uint8Array =>
  nested(type, [attribute(dataAttribute.value, value)]);

export const encodeVerdict = (type: number, verdict: Verdict): Uint8Array =>
  nested(type, [
    nested(dataAttribute.verdict, [
      u32(verdictAttribute.code, verdict.code, false),
      ...(verdict.chain === undefined ? [] : [text(verdictAttribute.chain, verdict.chain)]),
    ]),
  ]);

/** The value or the verdict inside a data attribute. */
export function decodeData(payload: Uint8Array): { data: Uint8Array } | { verdict: Verdict } {
  const map = new AttributeMap(payload);
  const value = map.bytes(dataAttribute.value);
  if (value !== undefined) return { data: value };
  const inner = map.map(dataAttribute.verdict);
  const code = inner?.u32(verdictAttribute.code, false);
  if (inner === undefined || code === undefined) throw new DataLoss('nf_tables data with neither value nor verdict');
  const chain = inner.text(verdictAttribute.chain);
  return { verdict: { code: code | 0, ...(chain !== undefined && { chain }) } };
}

function encodeField(number: number, type: FieldType, value: unknown): Uint8Array {
  switch (type) {
    case 'u8':
      return u8(number, value as number);
    case 'u16':
      return attribute(number, Uint8Array.of((value as number) >> 8, (value as number) & 0xff));
    case 'u32':
      return u32(number, value as number, false);
    case 'u64':
      return u64(number, value as bigint, false);
    case 'text':
      return text(number, value as string);
    default:
      return encodeData(number, value as Uint8Array);
  }
}

function encodeExpression(expression: Expression): Uint8Array {
  const values = expression as unknown as Readonly<Record<string, unknown>>;
  const fields: Uint8Array[] = [];
  for (const [name, [number, type]] of Object.entries(kinds[expression.kind])) {
    if (values[name] !== undefined) fields.push(encodeField(number, type, values[name]));
    else if (type === 'dataOrVerdict' && values.verdict !== undefined) {
      fields.push(encodeVerdict(number, values.verdict as Verdict));
    }
  }
  return nested(listElement, [
    text(expressionAttribute.name, expression.kind),
    nested(expressionAttribute.data, fields),
  ]);
}

export const encodeExpressions = (type: number, expressions: readonly Expression[]): Uint8Array =>
  nested(type, expressions.map(encodeExpression));

function decodeField(map: AttributeMap, number: number, type: FieldType): unknown {
  switch (type) {
    case 'u8':
      return map.u8(number);
    case 'u16':
      return map.u16(number, false);
    case 'u32':
      return map.u32(number, false);
    case 'u64':
      return map.u64(number, false);
    case 'text':
      return map.text(number);
    default: {
      const payload = map.bytes(number);
      return payload === undefined ? undefined : decodeData(payload);
    }
  }
}

/** An expression as the kernel tells it; of kinds we never send only the name is given. */
export type DecodedExpression = Expression | { readonly kind: 'unknown'; readonly name: string };

export function decodeExpressions(payload: Uint8Array): DecodedExpression[] {
  return decodeAttributes(payload).map(element => {
    const map = new AttributeMap(element.payload);
    const name = map.text(expressionAttribute.name);
    if (name === undefined) throw new DataLoss('nf_tables expression without a name');
    if (!Object.hasOwn(kinds, name)) return { kind: 'unknown', name };
    const kind = name as Expression['kind'];
    const values = new AttributeMap(map.bytes(expressionAttribute.data) ?? new Uint8Array(0));
    const out: Record<string, unknown> = { kind };
    for (const [field, [number, type]] of Object.entries(kinds[kind])) {
      const value = decodeField(values, number, type);
      if (value === undefined) continue;
      if (type === 'data' || type === 'dataOrVerdict') Object.assign(out, rename(field, value as object));
      else out[field] = value;
    }
    return out as unknown as Expression;
  });
}

const rename = (field: string, value: object): object => ('data' in value ? { [field]: value.data } : value);
