// runtime-spec config-linux.md "Network Devices" (1.3): interfaces of the host that move into the container, with their addresses, which
// the kernel takes from an interface that changes its namespace.

import { InvalidArgument, NotFound } from '../errdefs/index.ts';
import { NetlinkSocket, type Op } from '../launcher/index.ts';
import {
  addAddress,
  decodeInterfaceAddress,
  decodeLink,
  encodeMessages,
  getLink,
  type InterfaceAddress,
  listAddresses,
  NetlinkClient,
  type NetlinkMessage,
  protocol,
  setLink,
} from '../netlink/index.ts';
import type { RuntimeSpec } from '../oci/index.ts';

/** An interface of the host, as it is before it moves. */
export interface HostInterface {
  readonly index: number;
  readonly addresses: readonly InterfaceAddress[];
}

/** Looks an interface up; given by hand in tests. */
export type FindInterface = (name: string) => HostInterface;

/** Asks the kernel. Throws NotFound where there is no such interface. */
export const findInterface: FindInterface = name => {
  using client = new NetlinkClient(new NetlinkSocket(protocol.route));
  let index: number;
  try {
    const answer = client.send([getLink({ name })])[0];
    if (answer === undefined) throw new NotFound('no answer');
    ({ index } = decodeLink(answer));
  } catch (cause) {
    throw new NotFound(`link not found for interface ${name} on namespace host`, { cause });
  }
  const addresses = client
    .dump(listAddresses())
    .map(decodeInterfaceAddress)
    // Link-local ones come back by themselves.
    .filter(address => address.index === index && (address.scope ?? 0) === 0);
  return { index, addresses };
};

const marker = 0x7eed1e55;

/** Where the marker that stands for the pid lies in the bytes. */
function pidOffset(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 4 <= bytes.length; at += 4) if (view.getUint32(at, true) === marker) return at;
  throw new InvalidArgument('netlink message without a pid');
}

const words = { why: 'runtime-spec config-linux.md: netDevices' };

function netlinkOp(message: NetlinkMessage, moves: boolean): Op {
  const messages = encodeMessages([message]);
  return {
    op: 'netlink',
    protocol: protocol.route,
    messages,
    ...(moves && { pid: [{ offset: pidOffset(messages) }] }),
    why: `${words.why}: ${message.what}`,
    failure: `error moving network device: ${message.what}`,
  };
}

export interface NetDeviceOps {
  readonly outside: readonly Op[];
  readonly inside: readonly Op[];
}

/** The ops outside, once the container's namespace exists, and inside, to set up what came. */
export function netDeviceOps(spec: RuntimeSpec, find: FindInterface = findInterface): NetDeviceOps {
  const devices = Object.entries(spec.linux?.netDevices ?? {});
  if (devices.length === 0) return { outside: [], inside: [] };
  const network = (spec.linux?.namespaces ?? []).find(({ type }) => type === 'network');
  if (network === undefined || network.path) {
    throw new InvalidArgument('unable to move network devices without a new network namespace');
  }
  const outside: Op[] = [];
  const inside: Op[] = [];
  for (const [name, { name: inner }] of devices) {
    for (const checked of [name, inner ?? name]) {
      if (!/^[^/\s]{1,15}$/.test(checked) || checked === '.' || checked === '..')
        throw new InvalidArgument(`invalid network device name "${checked}"`);
    }
    const { index, addresses } = find(name);
    outside.push(
      netlinkOp(setLink({ index, up: false }), false),
      netlinkOp(setLink({ index, name: inner ?? name, namespace: { pid: marker } }), true),
    );
    // A new namespace holds the loopback alone, so an interface keeps its number there.
    for (const address of addresses) inside.push(netlinkOp(addAddress(address, { replace: true }), false));
    inside.push(netlinkOp(setLink({ index, up: true }), false));
  }
  return { outside, inside };
}
