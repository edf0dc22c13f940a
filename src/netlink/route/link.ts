// rtnetlink: devices (linux/if_link.h). One message makes a device whole: name, address, MTU, bridge and up.

import { DataLoss } from '../../errdefs/index.ts';
import { decodeHardwareAddress, encodeHardwareAddress, family } from '../address.ts';
import { AttributeMap, attribute, concat, nested, text, u8, u16, u32 } from '../attributes.ts';
import { flag, type NetlinkMessage, type ReceivedMessage } from '../message.ts';

export const linkMessage = { new: 16, delete: 17, get: 18, set: 19 } as const;

const link = {
  address: 1,
  name: 3,
  mtu: 4,
  lowerLink: 5,
  master: 10,
  protoInfo: 12,
  linkInfo: 18,
  alias: 20,
  afSpec: 26,
  namespacePid: 19,
  namespaceFd: 28,
  extendedMask: 29,
} as const;
const info = { kind: 1, data: 2, portKind: 4, portData: 5 } as const;
const vethPeer = 1;
const addressGenerationMode = 8;
const macvlanMode = 1;
const ipvlanData = { mode: 1, flags: 2 } as const;
const bridgePort = { mode: 4, isolated: 33 } as const;
export const linkFlag = { up: 0x1, loopback: 0x8, running: 0x40, promiscuous: 0x100, lowerUp: 0x10000 } as const;

/** The namespace that a device is made in or moved to: of a process, or by an open file. */
export type NamespaceRef = { readonly pid: number } | { readonly fd: number };

/** What can be said about any device. */
export interface LinkSettings {
  readonly name?: string;
  /** The number it shall have, or of the device that is meant. */
  readonly index?: number;
  readonly hardwareAddress?: string;
  readonly mtu?: number;
  /** Index of the bridge it becomes a port of; 0 takes it out. */
  readonly master?: number;
  readonly up?: boolean;
  readonly namespace?: NamespaceRef;
  /** A remark for people, kept by the kernel. Only for a device that exists. */
  readonly alias?: string;
  /** False: IPv6 makes no link-local address. Only for a device that exists. */
  readonly linkLocalAddress?: boolean;
}

export type LinkKind =
  | { readonly kind: 'bridge' }
  | { readonly kind: 'dummy' }
  | { readonly kind: 'veth'; readonly peer: LinkSettings }
  | { readonly kind: 'macvlan'; readonly parent: number; readonly mode: keyof typeof macvlanModes }
  | {
      readonly kind: 'ipvlan';
      readonly parent: number;
      readonly mode: keyof typeof ipvlanModes;
      readonly flag: keyof typeof ipvlanFlags;
    }
  | { readonly kind: 'vlan'; readonly parent: number; readonly tag: number };

export const macvlanModes = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;
export const ipvlanModes = { l2: 0, l3: 1, l3s: 2 } as const;
export const ipvlanFlags = { bridge: 0, private: 1, vepa: 2 } as const;

/** struct ifinfomsg: family, pad, u16 type, s32 index, u32 flags, u32 change mask. */
function header(settings: LinkSettings, familyNumber = 0): Uint8Array {
  const out = new Uint8Array(16);
  const view = new DataView(out.buffer);
  view.setUint8(0, familyNumber);
  view.setInt32(4, settings.index ?? 0, true);
  if (settings.up !== undefined) {
    view.setUint32(8, settings.up ? linkFlag.up : 0, true);
    view.setUint32(12, linkFlag.up, true);
  }
  return out;
}

function attributes(settings: LinkSettings): Uint8Array[] {
  const out: Uint8Array[] = [];
  if (settings.name !== undefined) out.push(text(link.name, settings.name));
  if (settings.hardwareAddress !== undefined) {
    out.push(attribute(link.address, encodeHardwareAddress(settings.hardwareAddress)));
  }
  if (settings.mtu !== undefined) out.push(u32(link.mtu, settings.mtu));
  if (settings.master !== undefined) out.push(u32(link.master, settings.master));
  if (settings.namespace !== undefined) {
    out.push(
      'pid' in settings.namespace
        ? u32(link.namespacePid, settings.namespace.pid)
        : u32(link.namespaceFd, settings.namespace.fd),
    );
  }
  if (settings.alias !== undefined) out.push(attribute(link.alias, new TextEncoder().encode(settings.alias)));
  if (settings.linkLocalAddress !== undefined) {
    const mode = u8(addressGenerationMode, settings.linkLocalAddress ? 0 : 1);
    out.push(nested(link.afSpec, [nested(family.inet6, [mode])]));
  }
  return out;
}

function kindData(kind: LinkKind): Uint8Array[] {
  switch (kind.kind) {
    case 'veth':
      return [nested(info.data, [nested(vethPeer, [header(kind.peer), ...attributes(kind.peer)])])];
    case 'macvlan':
      return [nested(info.data, [u32(macvlanMode, macvlanModes[kind.mode])])];
    case 'ipvlan':
      return [
        nested(info.data, [
          u16(ipvlanData.mode, ipvlanModes[kind.mode]),
          u16(ipvlanData.flags, ipvlanFlags[kind.flag]),
        ]),
      ];
    case 'vlan':
      return [nested(info.data, [u16(1, kind.tag)])];
    default:
      return [];
  }
}

/** Makes a device; EEXIST when the name is taken. */
export function createLink(settings: LinkSettings, kind: LinkKind): NetlinkMessage {
  const parent = 'parent' in kind ? [u32(link.lowerLink, kind.parent)] : [];
  const linkInfo = nested(link.linkInfo, [text(info.kind, kind.kind), ...kindData(kind)]);
  return {
    type: linkMessage.new,
    flags: flag.request | flag.ack | flag.create | flag.exclusive,
    body: concat([header(settings), ...attributes(settings), ...parent, linkInfo]),
    what: `add ${kind.kind} ${settings.name ?? settings.index ?? ''}${peerWords(kind)}`,
  };
}

const peerWords = (kind: LinkKind): string => (kind.kind === 'veth' ? ` with peer ${kind.peer.name ?? ''}` : '');

/** Changes a device, which is named by index, or by name where no index is given. */
export function setLink(settings: LinkSettings): NetlinkMessage {
  const { up, master, namespace } = settings;
  const changes = [
    up === undefined ? '' : up ? ' up' : ' down',
    master === undefined ? '' : ` master ${master}`,
    namespace === undefined ? '' : ' to another namespace',
  ];
  return {
    type: linkMessage.new,
    flags: flag.request | flag.ack,
    body: concat([header(settings), ...attributes(settings)]),
    what: `set link ${settings.name ?? settings.index ?? ''}${changes.join('')}`,
  };
}

/** Bridge port settings: an isolated port cannot talk to other isolated ports; hairpin sends frames back where they came from. */
export function setBridgePort(index: number, port: { isolated?: boolean; hairpin?: boolean }): NetlinkMessage {
  const data: Uint8Array[] = [];
  if (port.isolated !== undefined) data.push(u8(bridgePort.isolated, port.isolated ? 1 : 0));
  if (port.hairpin !== undefined) data.push(u8(bridgePort.mode, port.hairpin ? 1 : 0));
  return {
    type: linkMessage.set,
    flags: flag.request | flag.ack,
    body: concat([header({ index }, 7), nested(link.protoInfo, data)]),
    what: `set bridge port ${index}`,
  };
}

export function deleteLink(which: { name: string } | { index: number }): NetlinkMessage {
  return {
    type: linkMessage.delete,
    flags: flag.request | flag.ack,
    body: concat([header(which), ...('name' in which ? attributes(which) : [])]),
    what: `delete link ${'name' in which ? which.name : which.index}`,
  };
}

/** One device, or with nothing given a dump of all. */
export function getLink(which?: { name: string } | { index: number }): NetlinkMessage {
  return {
    type: linkMessage.get,
    flags: flag.request | (which === undefined ? flag.dump : flag.ack),
    body: concat([header(which ?? {}), ...(which !== undefined && 'name' in which ? attributes(which) : [])]),
    what: which === undefined ? 'list links' : `get link ${'name' in which ? which.name : which.index}`,
  };
}

/** A device as the kernel describes it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  readonly flags: number;
  readonly mtu: number;
  readonly hardwareAddress?: string;
  /** Index of the bridge it is a port of. */
  readonly master?: number;
  /** The lower device, or the peer of a veth (which may be in another namespace). */
  readonly lowerLink?: number;
  readonly kind?: string;
  readonly alias?: string;
}

export function decodeLink(message: ReceivedMessage): Link {
  const { body } = message;
  if (body.length < 16) throw new DataLoss(`link message of ${body.length} bytes`);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const map = new AttributeMap(body.subarray(16));
  const flags = view.getUint32(8, true);
  const address = map.bytes(link.address);
  const master = map.u32(link.master);
  const lowerLink = map.u32(link.lowerLink);
  const alias = map.text(link.alias);
  const kind = map.map(link.linkInfo)?.text(info.kind);
  return {
    index: view.getInt32(4, true),
    name: map.text(link.name) ?? '',
    up: (flags & linkFlag.up) !== 0,
    flags,
    mtu: map.u32(link.mtu) ?? 0,
    ...(address !== undefined && address.length > 0 && { hardwareAddress: decodeHardwareAddress(address) }),
    ...(master !== undefined && { master }),
    ...(lowerLink !== undefined && { lowerLink }),
    ...(kind !== undefined && { kind }),
    ...(alias !== undefined && { alias }),
  };
}
