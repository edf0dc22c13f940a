import type { ContainerInspect, PortBinding } from '../../api/index.ts';
import type { Command } from '../command/command.ts';
import { segment } from '../http/engine.ts';

const address = (binding: PortBinding): string =>
  binding.HostIp.includes(':') ? `[${binding.HostIp}]:${binding.HostPort}` : `${binding.HostIp}:${binding.HostPort}`;

export const port: Command = {
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  description: 'List port mappings or a specific mapping for the container',
  names: ['container port', 'port'],
  flags: [],
  arity: { kind: 'between', least: 1, most: 2 },
  completes: 'runningContainers',
  run: async ({ cli, args }) => {
    const [name = '', wanted] = args;
    const container = await cli.engine.json<ContainerInspect>('GET', `/containers/${segment(name)}/json`);
    const { Ports: ports } = container.NetworkSettings;
    if (wanted !== undefined) {
      const [number = '', protocol = 'tcp'] = wanted.split('/');
      if (!/^[0-9]+$/.test(number)) {
        throw new Error(
          `Error: invalid port (${number}): strconv.ParseUint: parsing ${JSON.stringify(number)}: invalid syntax`,
        );
      }
      const bindings = ports[`${number}/${protocol}`];
      if (!bindings || bindings.length === 0)
        throw new Error(`Error: No public port '${wanted}' published for ${name}`);
      for (const line of bindings.map(address).sort()) cli.print(line);
      return;
    }
    const lines: string[] = [];
    for (const key of Object.keys(ports).sort(byNumber)) {
      for (const binding of ports[key] ?? []) lines.push(`${key} -> ${address(binding)}`);
    }
    for (const line of lines) cli.print(line);
  },
};

const byNumber = (a: string, b: string): number => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1);
