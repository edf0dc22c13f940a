// A container's networks: what was asked for, and what inspect shows of it while it runs and while it does not.

import type { EndpointSettings, HostConfig, PortMap } from '../../api/index.ts';
import { InvalidArgument } from '../../errdefs/index.ts';
import type { Attachment, Endpoint, EndpointConfig, PortBindingRequest, PortProtocol } from '../../network/index.ts';
import { parsePort } from './validate.ts';

/** An endpoint that nothing is known of yet. */
export const defaultEndpoint: EndpointSettings = {
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  MacAddress: '',
  DriverOpts: null,
  GwPriority: 0,
  NetworkID: '',
  EndpointID: '',
  Gateway: '',
  IPAddress: '',
  IPPrefixLen: 0,
  IPv6Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
};

/** The endpoints of a new container by network: those named in the request, and its network mode's. */
export function requestedEndpoints(
  host: HostConfig,
  asked: Readonly<Record<string, EndpointSettings>>,
  macAddress: string | undefined,
): Record<string, EndpointSettings> {
  const mode = host.NetworkMode;
  if (mode.startsWith('container:')) {
    if (Object.keys(asked).length > 0) {
      throw new InvalidArgument(
        'conflicting options: cannot attach user-defined network to container-network-mode container',
      );
    }
    return {};
  }
  const endpoints: Record<string, EndpointSettings> = {};
  for (const [network, settings] of Object.entries(asked)) {
    const name = network === 'default' ? 'bridge' : network;
    checkAddresses(settings);
    endpoints[name] = blankEndpoint({ ...defaultEndpoint, ...settings });
  }
  if (endpoints[mode] === undefined) {
    endpoints[mode] = defaultEndpoint;
  }
  if (macAddress !== undefined && macAddress !== '' && endpoints[mode].MacAddress === '') {
    endpoints[mode] = { ...endpoints[mode], MacAddress: macAddress };
  }
  for (const [name, settings] of Object.entries(endpoints)) {
    if ((settings.Aliases ?? []).length > 0 && name === 'bridge') {
      throw new InvalidArgument('network-scoped aliases are only supported for user-defined networks');
    }
  }
  return endpoints;
}

function checkAddresses(settings: EndpointSettings): void {
  const { MacAddress } = settings;
  if (MacAddress !== '' && !/^([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}$/.test(MacAddress)) {
    throw new InvalidArgument(`invalid MAC address: ${MacAddress}`);
  }
}

/** What stays of an endpoint when the container does not run: what was asked for. */
export function blankEndpoint(settings: EndpointSettings): EndpointSettings {
  return {
    ...defaultEndpoint,
    IPAMConfig: settings.IPAMConfig,
    Links: settings.Links,
    Aliases: settings.Aliases,
    DriverOpts: settings.DriverOpts,
    GwPriority: settings.GwPriority,
    NetworkID: settings.NetworkID,
    MacAddress: settings.MacAddress,
    DNSNames: settings.DNSNames,
  };
}

/** The same of one that has been live: a MAC address that nobody asked for was only its address's, and goes with it. */
export function endedEndpoint(settings: EndpointSettings, endpoints: readonly Endpoint[]): EndpointSettings {
  const ended = endpoints.find(({ id }) => id === settings.EndpointID);
  const blank = blankEndpoint(settings);
  return ended === undefined ? blank : { ...blank, MacAddress: ended.config.macAddress ?? '' };
}

/** An endpoint in the network's words. */
export function attachmentOf(
  network: string,
  settings: EndpointSettings,
  macAsked: string,
  links: readonly string[],
): Attachment {
  const ipam = settings.IPAMConfig;
  const config: EndpointConfig = {
    ...(ipam?.IPv4Address && { ipv4Address: ipam.IPv4Address }),
    ...(ipam?.IPv6Address && { ipv6Address: ipam.IPv6Address }),
    ...(ipam?.LinkLocalIPs && { linkLocalAddresses: ipam.LinkLocalIPs }),
    ...(macAsked !== '' && { macAddress: macAsked }),
    ...(settings.Aliases && { aliases: settings.Aliases }),
    ...((settings.Links ?? []).length + links.length > 0 && { links: [...(settings.Links ?? []), ...links] }),
    ...(settings.DriverOpts && { driverOptions: settings.DriverOpts }),
    ...(settings.GwPriority !== 0 && { gatewayPriority: settings.GwPriority }),
  };
  return { network, config };
}

/** A live endpoint as inspect shows it, on top of what was asked for. */
export function liveEndpoint(asked: EndpointSettings, endpoint: Endpoint): EndpointSettings {
  return {
    ...asked,
    MacAddress: endpoint.macAddress,
    NetworkID: endpoint.networkId,
    EndpointID: endpoint.id,
    Gateway: endpoint.ipv4?.gateway ?? '',
    IPAddress: endpoint.ipv4?.address ?? '',
    IPPrefixLen: endpoint.ipv4?.prefixLength ?? 0,
    IPv6Gateway: endpoint.ipv6?.gateway ?? '',
    GlobalIPv6Address: endpoint.ipv6?.address ?? '',
    GlobalIPv6PrefixLen: endpoint.ipv6?.prefixLength ?? 0,
    DNSNames: endpoint.dnsNames.length > 0 ? endpoint.dnsNames : null,
  };
}

/** The host ports that were asked for; exposed ones too with `-P`. */
export function portRequests(host: HostConfig, exposed: Readonly<Record<string, object>>): PortBindingRequest[] {
  const requests: PortBindingRequest[] = [];
  const bound = new Set<string>();
  for (const [text, bindings] of Object.entries(host.PortBindings ?? {})) {
    const { port, protocol } = parsePort(text);
    bound.add(`${port}/${protocol}`);
    for (const binding of bindings === null || bindings.length === 0 ? [{ HostIp: '', HostPort: '' }] : bindings) {
      const [start = '0', end = start] = (binding.HostPort === '' ? '0' : binding.HostPort).split('-');
      requests.push({
        containerPort: port,
        protocol: protocol as PortProtocol,
        hostIp: binding.HostIp,
        hostPortStart: Number(start),
        hostPortEnd: Number(end),
      });
    }
  }
  if (host.PublishAllPorts) {
    for (const text of Object.keys(exposed)) {
      const { port, protocol } = parsePort(text);
      if (bound.has(`${port}/${protocol}`)) continue;
      requests.push({
        containerPort: port,
        protocol: protocol as PortProtocol,
        hostIp: '',
        hostPortStart: 0,
        hostPortEnd: 0,
      });
    }
  }
  return requests;
}

/** `80/tcp` → where it is published, null where it is only exposed. */
export function portMap(exposed: Readonly<Record<string, object>>, endpoints: readonly Endpoint[]): PortMap {
  const map: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
  for (const text of Object.keys(exposed)) {
    const { port, protocol } = parsePort(text);
    map[`${port}/${protocol}`] = null;
  }
  for (const endpoint of endpoints) {
    for (const port of endpoint.ports) {
      const key = `${port.containerPort}/${port.protocol}`;
      map[key] = [...(map[key] ?? []), { HostIp: port.hostIp, HostPort: String(port.hostPort) }];
    }
  }
  return map;
}
