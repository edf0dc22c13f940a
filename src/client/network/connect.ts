import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { toMap } from '../container/key-values.ts';
import { segment } from '../http/engine.ts';

export const connect: Command = {
  usage: '[OPTIONS] NETWORK CONTAINER',
  description: 'Connect a container to a network',
  flags: [
    flag.strings('alias', '', 'Add network-scoped alias for the container'),
    flag.strings('driver-opt', '', 'driver options for the network'),
    flag.int(
      'gw-priority',
      '',
      'Highest gw-priority provides the default gateway. Accepts positive and negative values.',
    ),
    flag.string('ip', '', 'IPv4 address (e.g., "172.30.100.104")'),
    flag.string('ip6', '', 'IPv6 address (e.g., "2001:db8::33")'),
    flag.list('link', '', 'Add link to another container'),
    flag.strings('link-local-ip', '', 'Add a link-local address for the container'),
  ],
  arity: { kind: 'exactly', count: 2 },
  completes: 'networks',
  run: async ({ cli, args, flags }) => {
    const [network = '', container = ''] = args;
    const badOption = flags.list('driver-opt').find(option => !option.includes('='));
    if (badOption !== undefined) throw new Error(`invalid key/value pair format in driver options`);
    const orNull = (list: readonly string[]): readonly string[] | null => (list.length === 0 ? null : list);
    const [ipv4, ipv6, linkLocal] = [flags.string('ip'), flags.string('ip6'), flags.list('link-local-ip')];
    const ipam = {
      ...(ipv4 !== '' && { IPv4Address: ipv4 }),
      ...(ipv6 !== '' && { IPv6Address: ipv6 }),
      ...(linkLocal.length > 0 && { LinkLocalIPs: linkLocal }),
    };
    const options = toMap(flags.list('driver-opt'));
    await cli.engine.send('POST', `/networks/${segment(network)}/connect`, {
      json: {
        Container: container,
        EndpointConfig: {
          IPAMConfig: ipam,
          Links: orNull(flags.list('link')),
          Aliases: flags.list('alias'),
          MacAddress: '',
          DriverOpts: options,
          GwPriority: flags.number('gw-priority'),
          NetworkID: '',
          EndpointID: '',
          Gateway: '',
          IPAddress: '',
          IPPrefixLen: 0,
          IPv6Gateway: '',
          GlobalIPv6Address: '',
          GlobalIPv6PrefixLen: 0,
          DNSNames: null,
        },
      },
    });
  },
};
