// GET /containers/{id}/explain, ours: the program that makes this container, op by op, with who asked for each. Nothing is run.

import { disassemble } from '../../launcher/index.ts';
import { planCreate } from '../../runc/index.ts';
import type { Container } from './container.ts';
import { attachmentOf, portRequests } from './network-config.ts';
import { containerPaths } from './paths.ts';
import type { ContainerServices } from './services.ts';
import { buildSpec } from './spec/build.ts';

export async function explainContainer(services: ContainerServices, container: Container): Promise<string> {
  const { record } = container;
  const { hostConfig, config } = record;
  const { spec, rootfs } = await buildSpec(services, container);
  const network = spec.linux?.namespaces?.find(namespace => namespace.type === 'network');
  const own = network !== undefined && network.path === undefined;
  await using undo = new AsyncDisposableStack();
  let endpoints = record.endpoints;
  if (own && endpoints.length === 0) {
    // Addresses as a start would choose them now; given back at once.
    const attachments = Object.entries(record.networks).map(([name, settings]) =>
      attachmentOf(name, settings, settings.MacAddress, []),
    );
    endpoints = await services.networks.attach(
      { containerId: record.id, name: record.name, hostname: config.Hostname },
      attachments,
      portRequests(hostConfig, {}).filter(() => false),
    );
    for (const endpoint of endpoints) undo.defer(() => services.networks.release(endpoint));
  }
  const { program, warnings } = planCreate({
    id: record.id,
    spec,
    bundle: containerPaths(services.config.dataRoot, record.id).directory,
    rootfs: rootfs.map(mount => ({ destination: '/', type: mount.type, source: mount.source, options: mount.options })),
    stdio: { terminal: config.Tty, stdin: config.OpenStdin, pipeSizeBytes: 1 << 20 },
    ...(own && { netns: services.networks.plan(endpoints) }),
    startGate: 'ready',
  });
  return `${warnings.map(warning => `# ${warning}\n`).join('')}${disassemble(program)}`;
}
