// --publish and --expose.

import { splitCommas } from '../command/flags.ts';

export interface PublishedPorts {
  readonly exposed: Record<string, object>;
  readonly bindings: Record<string, { HostIp: string; HostPort: string }[]>;
}

/** First and last of "80" or "80-90"; undefined when it is no range. */
function range(text: string): readonly [number, number] | undefined {
  const match = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first <= last && last <= 65535 ? [first, last] : undefined;
}

/** Reads all --publish values; throws Errors in Docker's words. */
export function parsePublished(values: readonly string[]): PublishedPorts {
  const exposed: PublishedPorts['exposed'] = {};
  const bindings: PublishedPorts['bindings'] = {};
  for (const value of values) {
    const spec = value.includes('=') ? shortForm(value) : value;
    const [address = '', protocol = 'tcp'] = spec.split('/');
    const { ip, host, container } = splitAddress(address);
    if (container === '') throw new Error(`no port specified: ${spec}<empty>`);
    const ports = range(container);
    if (ports === undefined) throw new Error(`Invalid containerPort: ${container}`);
    const hostPorts = host === '' ? undefined : range(host);
    if (host !== '' && hostPorts === undefined) throw new Error(`Invalid hostPort: ${host}`);
    const count = ports[1] - ports[0];
    if (hostPorts !== undefined && hostPorts[1] - hostPorts[0] !== count && count !== 0) {
      throw new Error(`Invalid ranges specified for container and host Ports: ${container} and ${host}`);
    }
    if (!['tcp', 'udp', 'sctp'].includes(protocol.toLowerCase())) throw new Error(`Invalid proto: ${protocol}`);
    for (let i = 0; i <= count; i++) {
      let hostPort = hostPorts === undefined ? '' : String(hostPorts[0] + i);
      // One container port on a range: the engine picks a free one of it.
      if (hostPorts !== undefined && count === 0 && hostPorts[0] !== hostPorts[1])
        hostPort = `${hostPorts[0]}-${hostPorts[1]}`;
      const port = `${ports[0] + i}/${protocol.toLowerCase()}`;
      exposed[port] = {};
      bindings[port] ??= [];
      bindings[port].push({ HostIp: ip, HostPort: hostPort });
    }
  }
  return { exposed, bindings };
}

function splitAddress(address: string): { ip: string; host: string; container: string } {
  const parts = address.split(':');
  const container = parts.pop() ?? '';
  const host = parts.pop() ?? '';
  const ip = parts.join(':').replace(/^\[(.*)\]$/, '$1');
  if (ip !== '' && !/^[0-9a-fA-F.:%]+$/.test(ip)) throw new Error(`Invalid ip address: ${ip}`);
  return { ip, host, container };
}

/** The long syntax "published=80,target=90,protocol=udp,mode=host" as the short one. */
function shortForm(text: string): string {
  const fields: Record<string, string> = {};
  for (const field of splitCommas(text)) {
    const [key = '', value = ''] = field.split(/=(.*)/s);
    if (!['protocol', 'mode', 'target', 'published', 'name', 'app_protocol'].includes(key))
      throw new Error(`invalid publish opts format (should be name=value but got '${field}')`);
    fields[key] = value;
  }
  return `${fields.published ?? ''}:${fields.target ?? ''}/${fields.protocol || 'tcp'}`;
}

/** Adds --expose values. */
export function addExposed(exposed: Record<string, object>, values: readonly string[]): void {
  for (const value of values) {
    if (value.includes(':')) throw new Error(`invalid port format for --expose: ${value}`);
    const [numbers = '', protocol = 'tcp'] = value.split('/');
    const ports = range(numbers);
    if (ports === undefined) {
      throw new Error(
        `invalid range format for --expose: ${value}, error: strconv.ParseUint: parsing ${JSON.stringify(numbers.split('-')[0])}: invalid syntax`,
      );
    }
    for (let port = ports[0]; port <= ports[1]; port++) exposed[`${port}/${protocol}`] = {};
  }
}
