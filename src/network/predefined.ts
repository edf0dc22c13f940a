// The networks that are there from the start: `bridge`, `host` and `none`.

import { InvalidArgument } from '../errdefs/index.ts';
import type { NetworkControllerOptions } from './controller.ts';
import { formatAddress, formatPrefix, parseCidr, prefixOf } from './ipam/prefix.ts';
import { type AddressPoolConfig, chooseSubnet, type TakenPrefix } from './ipam/subnets.ts';
import { newId } from './names.ts';
import { type IpamConfig, type NetworkRecord, option } from './network.ts';

const base = {
  scope: 'local',
  enableIPv4: true,
  enableIPv6: false,
  subnetConfigured: [],
  gateways: [],
  internal: false,
  attachable: false,
  ingress: false,
  configOnly: false,
  configFrom: '',
  options: {},
  labels: {},
} as const;

export const plainNetwork = (name: 'host' | 'none', created: string): NetworkRecord => ({
  ...base,
  id: newId(),
  name,
  created,
  driver: name === 'none' ? 'null' : 'host',
  ipam: { driver: 'default', config: [] },
});

/** What the default network is made from. */
export interface DefaultBridgeInput {
  readonly options: NetworkControllerOptions;
  /** The record of the last run: its id and, as long as the flags do not say otherwise, its subnets stay. */
  readonly before: NetworkRecord | undefined;
  /** The address that a bridge of this name has already, when the administrator made it. */
  readonly present: string | undefined;
  readonly pools: readonly AddressPoolConfig[];
  readonly taken: readonly TakenPrefix[];
  readonly now: string;
}

/** The record of the default network, as the daemon's flags of today want it. */
export function defaultBridge(input: DefaultBridgeInput): NetworkRecord {
  const { options, before, present } = input;
  const choose = (bits: 32 | 128): { subnet: string; gateway: string } => {
    const prefix = chooseSubnet(input.pools, bits, input.taken);
    return { subnet: formatPrefix(prefix), gateway: formatAddress(prefix.base + 1n, bits) };
  };
  const kept = (bits: 32 | 128) =>
    before?.ipam.config
      .map((config, i) => ({ subnet: config.subnet ?? '', gateway: before.gateways[i] ?? '' }))
      .find(({ subnet }) => subnet.includes(':') === (bits === 128) && subnet !== '');
  const four = fromBip(options.bip) ?? kept(32) ?? fromBip(present) ?? choose(32);
  const range = options.fixedCidr === undefined ? {} : { ipRange: options.fixedCidr };
  const config: IpamConfig[] = [{ ...four, ...range }];
  if (options.ipv6 === true) config.push(fromBip(options.bip6) ?? kept(128) ?? choose(128));
  return {
    ...base,
    id: before?.id ?? newId(),
    name: 'bridge',
    created: before?.created ?? input.now,
    driver: 'bridge',
    enableIPv6: options.ipv6 ?? false,
    ipam: { driver: 'default', config },
    subnetConfigured: config.map(() => false),
    gateways: config.map(entry => entry.gateway ?? ''),
    options: {
      [option.defaultBridge]: 'true',
      [option.icc]: String(options.icc ?? true),
      [option.masquerade]: String(options.ipMasquerade ?? true),
      [option.hostBinding]: options.publishAddress || '0.0.0.0',
      [option.bridgeName]: options.bridge,
      [option.mtu]: String(options.mtu ?? 1500),
    },
  };
}

/** `172.17.0.1/16` as subnet and gateway. */
function fromBip(bip: string | undefined): { subnet: string; gateway: string } | undefined {
  if (bip === undefined || bip === '') return undefined;
  const cidr = parseCidr(bip);
  if (cidr === undefined) throw new InvalidArgument(`invalid CIDR address: ${bip}`);
  const prefix = prefixOf(cidr.value, cidr.bits, cidr.length);
  return { subnet: formatPrefix(prefix), gateway: formatAddress(cidr.value, cidr.bits) };
}
