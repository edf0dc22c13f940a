// Numbers of nf_tables (linux/netfilter/nf_tables.h) under the words that `nft` uses for them.

export const nftMessage = {
  newTable: 0,
  getTable: 1,
  deleteTable: 2,
  newChain: 3,
  getChain: 4,
  deleteChain: 5,
  newRule: 6,
  getRule: 7,
  deleteRule: 8,
  newSet: 9,
  getSet: 10,
  deleteSet: 11,
  newElement: 12,
  getElement: 13,
  deleteElement: 14,
  getGeneration: 16,
} as const;

export const tableFamily = { inet: 1, ip: 2, arp: 3, netdev: 5, bridge: 7, ip6: 10 } as const;

export const hook = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;

export const priority = { raw: -300, mangle: -150, dstnat: -100, filter: 0, security: 50, srcnat: 100 } as const;

/** Verdicts; the negative ones are nf_tables' own. */
export const verdict = { drop: 0, accept: 1, continue: -1, break: -2, jump: -3, goto: -4, return: -5 } as const;

/** Registers: 1 to 4 hold 16 bytes each; 8 and up are the same memory in steps of 4 bytes. */
export const register = { verdict: 0, r1: 1, r2: 2, r3: 3, r4: 4 } as const;

/** The nth 4-byte register; 0 is the beginning of register 1. */
export const register32 = (n: number): number => 8 + n;

export const metaKey = {
  protocol: 1,
  mark: 3,
  iif: 4,
  oif: 5,
  iifname: 6,
  oifname: 7,
  nfproto: 15,
  l4proto: 16,
} as const;

export const payloadBase = { link: 0, network: 1, transport: 2 } as const;

export const compare = { equal: 0, notEqual: 1, less: 2, lessOrEqual: 3, greater: 4, greaterOrEqual: 5 } as const;

export const ctKey = { state: 0, direction: 1, status: 2, mark: 3, l3proto: 7, zone: 12 } as const;
export const ctState = { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 } as const;
export const ctStatus = { sourceNat: 0x10, destinationNat: 0x20 } as const;

export const natType = { source: 0, destination: 1 } as const;

export const fibResult = { oif: 1, oifname: 2, addressType: 3 } as const;
export const fibFlag = { source: 1, destination: 2, mark: 4, iif: 8, oif: 16, present: 32 } as const;
export const addressTypeLocal = 2;

/** An owned table is changed by its owner's socket alone (Linux 5.12); a persistent one stays when that closes (6.9). */
export const tableFlag = { dormant: 1, owner: 2, persist: 4 } as const;

export const setFlag = { constant: 2, interval: 4, map: 8, timeout: 16, eval: 32, concat: 128 } as const;
export const elementFlag = { intervalEnd: 1, catchAll: 2 } as const;

export const rejectType = { icmp: 0, tcpReset: 1, icmpx: 2 } as const;
export const icmpxCode = { noRoute: 0, port: 1, host: 2, adminProhibited: 3 } as const;

/** How `nft` shows a value; the kernel keeps the number without looking at it. */
export const dataType = {
  verdict: 0xffffff00,
  integer: 4,
  ipv4: 7,
  ipv6: 8,
  protocol: 12,
  service: 13,
  mark: 19,
  interfaceIndex: 20,
  interfaceName: 41,
} as const;

/** The type of a concatenation, six bits each. */
export const concatType = (...types: number[]): number => types.reduce((all, type) => (all << 6) | type, 0);

/** All of it under one name, for users of this part. */
export const nft = {
  tableFamily,
  hook,
  priority,
  verdict,
  register,
  register32,
  metaKey,
  payloadBase,
  compare,
  ctKey,
  ctState,
  ctStatus,
  natType,
  fibResult,
  fibFlag,
  addressTypeLocal,
  setFlag,
  tableFlag,
  elementFlag,
  rejectType,
  icmpxCode,
  dataType,
  concatType,
} as const;
