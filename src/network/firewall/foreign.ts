// Firewalls of others. Linux asks every table at a hook, and one "drop" is final: a chain with a policy of drop at the forward hook
// (ufw, a real dockerd, `iptables -P FORWARD DROP`) stops our containers whatever our own table says. Where it is the table of
// iptables-nft we do what every engine does there, and put rules for our bridges at its beginning, written as iptables writes
// them. Other tables belong to people; about those we only tell.

import { readFileSync } from 'node:fs';
import {
  addRule,
  type DecodedChain,
  type DecodedRule,
  decodeChain,
  decodeRule,
  deleteRule,
  type Expression,
  listChains,
  listRules,
  type NetlinkClient,
  type NetlinkMessage,
  nft,
  type TableRef,
} from '../../netlink/index.ts';

const comment = 'berth: bridges have a table of their own';
const interfaceNameBytes = 16;

/** A chain at the forward hook that drops what it does not know. */
export interface ForeignChain extends TableRef {
  readonly chain: string;
}

function isDropping(chain: DecodedChain, hook: number): boolean {
  return chain.type === 'filter' && chain.hook === hook && chain.policy === nft.verdict.drop;
}

/** The chains of others that drop packets at a hook by policy; forwarded ones by default. */
export function findDroppingChains(
  client: NetlinkClient,
  ownTable: string,
  hook: number = nft.hook.forward,
): ForeignChain[] {
  return (['inet', 'ip', 'ip6'] as const).flatMap(family =>
    client
      .dump(listChains(family))
      .map(decodeChain)
      .filter(chain => chain.family === nft.tableFamily[family] && chain.table !== ownTable && isDropping(chain, hook))
      .map(({ table, name }) => ({ family, table, chain: name })),
  );
}

/** Does it belong to iptables, which everybody's engine writes to? */
export const isIptables = ({ family, table, chain }: ForeignChain): boolean =>
  family !== 'inet' && table === 'filter' && chain === 'FORWARD';

const nameBytes = (name: string): Uint8Array => {
  const out = new Uint8Array(interfaceNameBytes);
  out.set(new TextEncoder().encode(name).subarray(0, interfaceNameBytes - 1));
  return out;
};

/** `-i name -j ACCEPT` or `-o name -j ACCEPT`. */
const acceptDevice = (which: 'iifname' | 'oifname', name: string): Expression[] => [
  { kind: 'meta', key: nft.metaKey[which], dreg: nft.register.r1 },
  { kind: 'cmp', sreg: nft.register.r1, op: nft.compare.equal, data: nameBytes(name) },
  { kind: 'counter', bytes: 0n, packets: 0n },
  { kind: 'immediate', dreg: nft.register.verdict, verdict: { code: nft.verdict.accept } },
];

/** The device that a rule of ours lets through, or undefined for a rule that is not ours. */
function deviceOf(rule: DecodedRule): string | undefined {
  if (rule.comment !== comment) return undefined;
  const [meta, cmp] = rule.expressions;
  if (meta?.kind !== 'meta' || cmp?.kind !== 'cmp') return undefined;
  const end = cmp.data.indexOf(0);
  const name = new TextDecoder().decode(end === -1 ? cmp.data : cmp.data.subarray(0, end));
  return `${meta.key === nft.metaKey.iifname ? 'iifname' : 'oifname'} ${name}`;
}

/** What makes a chain of iptables pass what concerns these bridges, and no others of ours. */
export function letThrough(client: NetlinkClient, chain: ForeignChain, bridges: readonly string[]): NetlinkMessage[] {
  const wanted = new Map(
    bridges.flatMap(name =>
      (['iifname', 'oifname'] as const).map(which => [`${which} ${name}`, acceptDevice(which, name)]),
    ),
  );
  const rules = client
    .dump(listRules(chain))
    .map(decodeRule)
    .filter(rule => rule.chain === chain.chain);
  const messages: NetlinkMessage[] = [];
  for (const rule of rules) {
    const device = deviceOf(rule);
    if (device === undefined) continue;
    if (!wanted.delete(device)) messages.push(deleteRule({ ...chain, handle: rule.handle }));
  }
  for (const expressions of wanted.values()) messages.push(addRule({ ...chain, expressions, comment, first: true }));
  return messages;
}

/** Trouble that cannot be seen by nf_tables: the old iptables keeps rules of its own. */
export function legacyTrouble(namesFile = '/proc/net/ip_tables_names'): string[] {
  try {
    if (!readFileSync(namesFile, 'utf8').split('\n').includes('filter')) return [];
  } catch {
    return [];
  }
  return [
    'iptables-legacy has a filter table, which cannot be seen from here: should its FORWARD chain drop packets, containers reach nothing outside',
  ];
}
