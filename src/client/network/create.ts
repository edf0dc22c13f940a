import { BlockList, isIP } from 'node:net';
import type { NetworkCreateResponse } from '../../api/index.ts';
import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import type { Flags } from '../command/flags.ts';
import { toMap } from '../container/key-values.ts';

export const create: Command = {
  usage: '[OPTIONS] NETWORK',
  description: 'Create a network',
  flags: [
    flag.bool('attachable', '', 'Enable manual container attachment'),
    flag.list('aux-address', '', 'Auxiliary IPv4 or IPv6 addresses used by Network driver', {
      typeName: 'map',
      shownDefault: 'map[]',
    }),
    flag.string('config-from', '', 'The network from which to copy the configuration'),
    flag.bool('config-only', '', 'Create a configuration only network'),
    flag.string('driver', 'd', 'Driver to manage the Network', { shownDefault: '"bridge"', initial: 'bridge' }),
    flag.strings('gateway', '', 'IPv4 or IPv6 Gateway for the master subnet'),
    flag.bool('ingress', '', 'Create swarm routing-mesh network'),
    flag.bool('internal', '', 'Restrict external access to the network'),
    flag.strings('ip-range', '', 'Allocate container ip from a sub-range'),
    flag.string('ipam-driver', '', 'IP Address Management Driver', { shownDefault: '"default"', initial: 'default' }),
    flag.list('ipam-opt', '', 'Set IPAM driver specific options', { typeName: 'map', shownDefault: 'map[]' }),
    flag.bool('ipv4', '', 'Enable or disable IPv4 address assignment', { shownDefault: 'true', initial: true }),
    flag.bool('ipv6', '', 'Enable or disable IPv6 address assignment'),
    flag.list('label', '', 'Set metadata on a network'),
    flag.list('opt', 'o', 'Set driver specific options', { typeName: 'map', shownDefault: 'map[]' }),
    flag.string('scope', '', "Control the network's scope"),
    flag.strings('subnet', '', 'Subnet in CIDR format that represents a network segment'),
  ],
  arity: { kind: 'exactly', count: 1 },
  run: async ({ cli, args, flags }) => {
    const from = flags.string('config-from');
    const answer = await cli.engine.json<NetworkCreateResponse>('POST', '/networks/create', {
      json: {
        Driver: flags.string('driver'),
        Scope: flags.string('scope'),
        ...(flags.changed('ipv4') && { EnableIPv4: flags.bool('ipv4') }),
        ...(flags.changed('ipv6') && { EnableIPv6: flags.bool('ipv6') }),
        IPAM: { Driver: flags.string('ipam-driver'), Options: toMap(flags.list('ipam-opt')), Config: readIpam(flags) },
        Internal: flags.bool('internal'),
        Attachable: flags.bool('attachable'),
        Ingress: flags.bool('ingress'),
        ConfigOnly: flags.bool('config-only'),
        ConfigFrom: from === '' ? null : { Network: from },
        Options: toMap(flags.list('opt')),
        Labels: toMap(flags.list('label')),
        Name: args[0],
      },
    });
    if (answer.Warning) cli.error(`WARNING: ${answer.Warning}`);
    cli.print(answer.Id);
  },
};

interface Pool {
  Subnet: string;
  IPRange?: string;
  Gateway?: string;
  AuxiliaryAddresses?: Record<string, string>;
}

/** One pool for each subnet; ranges, gateways and auxiliary addresses go to the subnet that they are in. */
function readIpam(flags: Flags): Pool[] {
  const pools = flags.list('subnet').map((subnet): Pool => ({ Subnet: subnet }));
  const [ranges, gateways, auxiliary] = [
    flags.list('ip-range'),
    flags.list('gateway'),
    toMap(flags.list('aux-address')),
  ];
  if (pools.length < ranges.length || pools.length < gateways.length)
    throw new Error('every ip-range or gateway must have a corresponding subnet');
  pools.forEach((pool, i) => {
    for (const other of pools.slice(i + 1)) {
      if (contains(pool.Subnet, other.Subnet) || contains(other.Subnet, pool.Subnet))
        throw new Error('multiple overlapping subnet configuration is not supported');
    }
  });
  const poolOf = (address: string, what: string): Pool => {
    const pool = pools.find(candidate => contains(candidate.Subnet, address));
    if (pool === undefined) throw new Error(`no matching subnet for ${what} ${address}`);
    return pool;
  };
  for (const range of ranges) {
    const pool = poolOf(range, 'range');
    if (pool.IPRange !== undefined) throw new Error('multiple ranges under the same subnet are not supported');
    pool.IPRange = range;
  }
  for (const gateway of gateways) {
    const pool = poolOf(gateway, 'gateway');
    if (pool.Gateway !== undefined) throw new Error('multiple gateways under the same subnet are not supported');
    pool.Gateway = gateway;
  }
  for (const [name, address] of Object.entries(auxiliary)) {
    const pool = poolOf(address, 'aux-address');
    pool.AuxiliaryAddresses = { ...pool.AuxiliaryAddresses, [name]: address };
  }
  return pools;
}

/** Whether an address, or the first of a range, is in a subnet. */
function contains(subnet: string, address: string): boolean {
  const [network = '', bits = ''] = subnet.split('/');
  const [host = ''] = address.split('/');
  if (isIP(network) === 0 || !/^[0-9]{1,3}$/.test(bits)) throw new Error(`invalid CIDR address: ${subnet}`);
  if (isIP(host) === 0) throw new Error(`invalid address ${address}`);
  if (isIP(host) !== isIP(network)) return false;
  const family = isIP(network) === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, Math.min(Number(bits), family === 'ipv4' ? 32 : 128), family);
  return list.check(host, family);
}
