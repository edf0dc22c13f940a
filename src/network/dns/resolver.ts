// What the resolver of a container answers. It decides; asking other servers is the forwarder's work.

import { isIPv6 } from 'node:net';
import { decodeAddress, encodeAddress } from '../../netlink/index.ts';
import type { Endpoint } from '../endpoint.ts';
import {
  type AnswerRecord,
  decodeAnswer,
  decodeQuery,
  encodeAnswer,
  type Query,
  recordType,
  responseCode,
  reverseAddress,
} from './message.ts';
import { type EndpointsOf, findAddress, findName } from './names.ts';

export type Transport = 'udp' | 'tcp';

/** Asks other servers; undefined when none of them has an answer. */
export type Forward = (query: Query, bytes: Uint8Array, transport: Transport) => Promise<Uint8Array | undefined>;

export interface ResolverContext {
  /** The container's own endpoints, in the order of its networks. */
  readonly endpoints: () => readonly Endpoint[];
  readonly endpointsOf: EndpointsOf;
  readonly forward: Forward;
  /** A name that the egress policy does not let out. */
  readonly denied?: (name: string) => boolean;
  /** Told of the addresses in another server's answer before the asker gets it. */
  readonly answered?: (name: string, addresses: readonly string[], ttlSeconds: number) => void;
  /** The asker's own `ndots`, where he set one: a single label then belongs to the search list and is not asked outside. */
  readonly ndots?: number;
}

const largestUdpAnswer = 4096;

/** Answers a query; undefined for what deserves no answer at all. */
export async function resolve(
  context: ResolverContext,
  bytes: Uint8Array,
  transport: Transport,
): Promise<Uint8Array | undefined> {
  let query: Query;
  try {
    query = decodeQuery(bytes);
  } catch {
    return formatError(bytes);
  }
  const limit = transport === 'tcp' ? 0xffff : Math.min(Math.max(query.udpSize ?? 512, 512), largestUdpAnswer);
  const reply = (code: number, records: readonly AnswerRecord[] = []) => encodeAnswer(query, code, records, limit);
  if (query.opcode !== 0) return reply(responseCode.notImplemented);
  const known = ownAnswer(context, query);
  if (known !== undefined) return reply(responseCode.noError, known);
  const { name, type } = query.question;
  const single = !name.includes('.') && (type === recordType.a || type === recordType.aaaa);
  if (single && (context.ndots ?? 0) > 0) return reply(responseCode.noError);
  // At once and for good: a refusal would make a client wait for another server that it does not have.
  if (context.denied?.(name) === true) return reply(responseCode.nameError);
  const answer = await context.forward(query, bytes, transport);
  if (answer === undefined) return reply(responseCode.serverFailure);
  tellAddresses(context, name, answer);
  return answer;
}

function tellAddresses({ answered }: ResolverContext, name: string, answer: Uint8Array): void {
  if (answered === undefined) return;
  try {
    const { addresses, ttlSeconds } = decodeAnswer(answer, decodeAddress);
    if (addresses.length > 0) answered(name, addresses, ttlSeconds);
  } catch {
    // not readable by us: then nothing is opened by it
  }
}

/** Records for what is known here. A known name without a record of the type asked for has none: it is never asked for outside. */
function ownAnswer(context: ResolverContext, { question }: Query): AnswerRecord[] | undefined {
  if (question.type === recordType.ptr) {
    const address = reverseAddress(question.name);
    if (address === undefined) return undefined;
    const name = findAddress(normal(address), context.endpoints(), context.endpointsOf);
    return name === undefined ? undefined : [{ type: 'name', name }];
  }
  const found = findName(question.name, context.endpoints(), context.endpointsOf);
  if (found === undefined) return undefined;
  const addresses = question.type === recordType.a ? found.ipv4 : question.type === recordType.aaaa ? found.ipv6 : [];
  return shuffled(addresses).map(address => ({ type: 'address', address }));
}

/** IPv6 as we write it everywhere else. */
const normal = (address: string): string => (isIPv6(address) ? decodeAddress(encodeAddress(address)) : address);

/** Another order each time: the simplest way to spread callers over several containers. */
function shuffled<T>(list: readonly T[]): T[] {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}

/** For bytes that are no query but look like the beginning of one. */
function formatError(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < 12 || ((bytes[2] ?? 0) & 0x80) !== 0) return undefined;
  const out = new Uint8Array(12);
  out.set(bytes.subarray(0, 2));
  out[2] = 0x80 | ((bytes[2] ?? 0) & 0x79);
  out[3] = responseCode.formatError;
  return out;
}
