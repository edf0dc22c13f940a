// Port 53 of 127.0.0.11 inside a container leads to a port of our choice, so that the container may have a name server of its own on
// 0.0.0.0:53. Two rewrites on the way out of a socket, the question's destination and the answer's source, do it; without
// connection tracking, which a namespace pays for with every packet.

import {
  addChain,
  addRule,
  addTable,
  deleteTable,
  type Expression,
  encodeAddress,
  isNetlinkError,
  type NetlinkClient,
  type NetlinkMessage,
  nft,
  transaction,
} from '../../netlink/index.ts';
import { internalResolver } from '../files/resolv-conf.ts';
import * as words from '../firewall/words.ts';

const { register, payloadBase, compare } = nft;
const r1 = register.r1;
const ref = { family: 'ip', table: 'berth-dns' } as const;
const portField = { source: 0, destination: 2 } as const;
const protocols = {
  udp: { number: 17, checksumOffset: 6 },
  tcp: { number: 6, checksumOffset: 16 },
} as const;

const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff);

/** Packets of 127.0.0.11 with one port get the other. */
function rewrite(
  protocol: keyof typeof protocols,
  end: keyof typeof portField,
  from: number,
  to: number,
): Expression[] {
  const { number, checksumOffset } = protocols[protocol];
  return [
    words.loadProtocol(0),
    { kind: 'cmp', sreg: r1, op: compare.equal, data: Uint8Array.of(number) },
    words.loadAddress(4, end, 0),
    { kind: 'cmp', sreg: r1, op: compare.equal, data: encodeAddress(internalResolver) },
    { kind: 'payload', dreg: r1, base: payloadBase.transport, offset: portField[end], length: 2 },
    { kind: 'cmp', sreg: r1, op: compare.equal, data: u16(from) },
    { kind: 'immediate', dreg: r1, data: u16(to) },
    {
      kind: 'payload',
      sreg: r1,
      base: payloadBase.transport,
      offset: portField[end],
      length: 2,
      checksumType: 1,
      checksumOffset,
    },
    { kind: 'notrack' },
  ];
}

function createRedirect(ports: { udp: number; tcp: number }): NetlinkMessage[] {
  const rules = (['udp', 'tcp'] as const).flatMap(protocol => [
    rewrite(protocol, 'destination', 53, ports[protocol]),
    rewrite(protocol, 'source', ports[protocol], 53),
  ]);
  const base = { type: 'filter', hook: nft.hook.output, priority: nft.priority.raw } as const;
  return [
    addTable(ref, 0, true),
    addChain({ ...ref, name: 'output', base }),
    ...rules.map(expressions => addRule({ ...ref, chain: 'output', expressions })),
  ];
}

/** Leads port 53 of a container to these ports, in place of those of an earlier daemon. */
export function redirectNameService(client: NetlinkClient, ports: { udp: number; tcp: number }): void {
  try {
    client.send(transaction(createRedirect(ports)));
  } catch (err) {
    if (!isNetlinkError(err, 'EEXIST')) throw err;
    // Not done beforehand in any case: after a deletion Linux takes 10 ms to close the socket.
    client.send(transaction([deleteTable(ref), ...createRedirect(ports)]));
  }
}
