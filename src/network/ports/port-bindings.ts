// Port bindings as the API writes them.

import { isIP } from 'node:net';
import { InvalidArgument } from '../../errdefs/index.ts';
import type { PortBindingRequest, PortProtocol, PublishedPort } from '../endpoint.ts';

/** `PortBindings` of HostConfig, `Ports` of NetworkSettings: `{"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}`. */
export type ApiPortMap = Readonly<Record<string, readonly { HostIp?: string; HostPort?: string }[] | null>>;

const protocols: ReadonlySet<string> = new Set<PortProtocol>(['tcp', 'udp', 'sctp']);

/** `80/tcp`; without a protocol it is TCP. */
export function parsePort(text: string): { port: number; protocol: PortProtocol } {
  const [number = '', protocol = 'tcp'] = text.split('/');
  const port = Number(number);
  if (!/^\d+$/.test(number) || port > 65535) throw new InvalidArgument(`invalid port specification: "${text}"`);
  if (!protocols.has(protocol.toLowerCase())) throw new InvalidArgument(`invalid proto: ${protocol}`);
  return { port, protocol: protocol.toLowerCase() as PortProtocol };
}

/** The wishes for host ports in a port map, in a stable order. An empty list asks for one port of our choice. */
export function parsePortBindings(map: ApiPortMap): PortBindingRequest[] {
  return Object.entries(map).flatMap(([key, bindings]) => {
    const { port, protocol } = parsePort(key);
    const list = bindings === null || bindings.length === 0 ? [{}] : bindings;
    return list.map(binding => ({ containerPort: port, protocol, ...parseBinding(binding) }));
  });
}

function parseBinding(binding: { HostIp?: string; HostPort?: string }) {
  const hostIp = (binding.HostIp ?? '').replace(/^\[(.*)\]$/, '$1');
  if (hostIp !== '' && isIP(hostIp) === 0) throw new InvalidArgument(`invalid host IP address: ${hostIp}`);
  const text = binding.HostPort ?? '';
  const match = /^(\d+)(?:-(\d+))?$/.exec(text === '' ? '0' : text);
  const [start, end] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (match === null || start > 65535 || end > 65535 || end < start) {
    throw new InvalidArgument(`invalid port specification: "${text}"`);
  }
  return { hostIp, hostPortStart: start, hostPortEnd: end };
}

/** Published ports as NetworkSettings.Ports shows them. */
export function formatPortMap(ports: readonly PublishedPort[]): Record<string, { HostIp: string; HostPort: string }[]> {
  const out: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { containerPort, protocol, hostIp, hostPort } of ports) {
    const key = `${containerPort}/${protocol}`;
    out[key] = [...(out[key] ?? []), { HostIp: hostIp, HostPort: String(hostPort) }];
  }
  return out;
}
