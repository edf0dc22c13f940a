// macvlan and ipvlan: containers as neighbours of the host on its own network, by devices that hang on one of the host's.

import { Internal, InvalidArgument, NotImplemented, PermissionDenied } from '../../errdefs/index.ts';
import {
  createLink,
  deleteLink,
  isNetlinkError,
  type LinkKind,
  type NamespaceRef,
  type NetlinkMessage,
} from '../../netlink/index.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Kernel } from '../kernel.ts';
import { type NetworkRecord, option } from '../network.ts';
import type { Driver, HostSide } from './driver.ts';

type Kind = 'macvlan' | 'ipvlan';

const modes = {
  macvlan: ['bridge', 'private', 'vepa', 'passthru'],
  ipvlan: ['l2', 'l3', 'l3s'],
} as const;
const flags = ['bridge', 'private', 'vepa'] as const;

interface Options {
  /** '' means none: a parent of our own that leads nowhere. */
  readonly parent: string;
  readonly mode: string;
  readonly flag: (typeof flags)[number];
}

function readOptions(kind: Kind, options: Readonly<Record<string, string>>): Options {
  const mode = options[`${kind}_mode`] || modes[kind][0];
  if (!(modes[kind] as readonly string[]).includes(mode)) {
    throw new InvalidArgument(
      `requested ${kind} mode '${mode}' is not valid, '${modes[kind][0]}' mode is the ${kind} driver default`,
    );
  }
  const flag = (options.ipvlan_flag || 'bridge') as Options['flag'];
  if (kind === 'ipvlan' && !flags.includes(flag)) {
    throw new InvalidArgument(`requested ipvlan flag '${flag}' is not valid, 'bridge' is the ipvlan driver default`);
  }
  return { parent: options.parent ?? '', mode, flag };
}

export class ParentedDriver implements Driver {
  readonly name: Kind;
  readonly traits = { addressed: true, publishes: false };
  readonly #kernel: Kernel;

  constructor(kind: Kind, kernel: Kernel) {
    this.name = kind;
    this.#kernel = kernel;
  }

  check(record: NetworkRecord, others: readonly NetworkRecord[]): void {
    const { parent } = readOptions(this.name, record.options);
    if (parent === 'lo') throw new PermissionDenied('loopback interface is not a valid parent interface for macvlan');
    const same = others.find(
      other => other.driver === this.name && parent !== '' && readOptions(this.name, other.options).parent === parent,
    );
    if (same !== undefined && same.id !== record.id) {
      throw new Internal(`network ${same.id} is already using parent interface ${parent}`);
    }
  }

  up(record: NetworkRecord): HostSide {
    const { parent } = readOptions(this.name, record.options);
    const link = this.#kernel.link({ name: parent === '' ? dummyName(record) : parent }) ?? this.#make(record, parent);
    this.#probe(link.index, record);
    return { parentIndex: link.index, mtu: Number(record.options[option.mtu] ?? 0) || link.mtu };
  }

  /** A parent that is not there: `eth0.10` is made as VLAN 10 of eth0; none named is a device that leads nowhere. */
  #make(record: NetworkRecord, parent: string) {
    const name = parent === '' ? dummyName(record) : parent;
    const vlan = /^(.+)\.(\d+)$/.exec(parent);
    if (parent !== '' && vlan === null) {
      throw new Internal(`invalid subinterface vlan name ${parent}, example formatting is eth0.10`);
    }
    let kind: LinkKind = { kind: 'dummy' };
    if (vlan !== null) {
      const lower = this.#kernel.link({ name: vlan[1] ?? '' });
      const tag = Number(vlan[2]);
      if (lower === undefined) throw new Internal(`failed to find interface ${vlan[1]} to link the ${this.name} to`);
      if (tag < 1 || tag > 4094) throw new InvalidArgument(`vlan id must be between 1-4094, received: ${tag}`);
      kind = { kind: 'vlan', parent: lower.index, tag };
    }
    this.#create(name, kind);
    const made = this.#kernel.link({ name });
    if (made === undefined) throw new Internal(`device ${name} is gone again`);
    return made;
  }

  #create(name: string, kind: LinkKind): void {
    try {
      this.#kernel.route.send([createLink({ name, up: true }, kind)]);
    } catch (err) {
      if (!isNetlinkError(err, 'ENOTSUP', 'EOPNOTSUPP')) throw err;
      throw new NotImplemented(`operation not supported: this kernel has no ${kind.kind} devices`, { cause: err });
    }
  }

  /** Makes a device and removes it: whether the kernel can is not known before, and shall not be found out by a container. */
  #probe(parent: number, record: NetworkRecord): void {
    const name = `probe-${record.id.slice(0, 8)}`;
    this.#create(name, this.#kind(record, parent));
    this.#kernel.route.send([deleteLink({ name })]);
  }

  async down(record: NetworkRecord): Promise<void> {
    if (readOptions(this.name, record.options).parent === '')
      await this.#kernel.removeLink({ name: dummyName(record) });
  }

  interfacePrefix(record: NetworkRecord): string {
    return record.options[option.interfacePrefix] || 'eth';
  }

  createDevice(endpoint: Endpoint, record: NetworkRecord, namespace: NamespaceRef): NetlinkMessage[] {
    const device = { name: endpoint.interfaceName, index: endpoint.interfaceIndex, mtu: endpoint.mtu, namespace };
    // All ipvlan devices have the address of their parent.
    const address = this.name === 'macvlan' ? { hardwareAddress: endpoint.macAddress } : {};
    return [createLink({ ...device, ...address }, this.#kind(record, endpoint.parentIndex))];
  }

  #kind(record: NetworkRecord, parent: number): LinkKind {
    const { mode, flag } = readOptions(this.name, record.options);
    return this.name === 'macvlan'
      ? { kind: 'macvlan', parent, mode: mode as 'bridge' }
      : { kind: 'ipvlan', parent, mode: mode as 'l2', flag };
  }
}

const dummyName = (record: NetworkRecord): string => `dm-${record.id.slice(0, 12)}`;
