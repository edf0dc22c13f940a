// POST /networks/{id}/connect and /disconnect: of running containers at once, of others at their next start.

import type { EndpointSettings } from '../../api/index.ts';
import { Conflict, InvalidArgument, PermissionDenied } from '../../errdefs/index.ts';
import type { Endpoint, NetworkRecord } from '../../network/index.ts';
import type { Container } from './container.ts';
import { attachmentOf, blankEndpoint, defaultEndpoint, liveEndpoint, portMap } from './network-config.ts';
import { resolverOverrides, writeNetworkFiles } from './network-files.ts';
import type { ContainerServices } from './services.ts';

export async function connectContainer(
  services: ContainerServices,
  container: Container,
  network: NetworkRecord,
  settings: EndpointSettings,
): Promise<void> {
  await container.lock.run(async () => {
    const { record, state } = container;
    if (state.removing || state.dead)
      throw new Conflict(`container ${record.id} is marked for removal and cannot be connected`);
    checkMode(record.hostConfig.NetworkMode, network);
    if (
      record.networks[network.name] !== undefined &&
      (state.running || record.networks[network.name]!.NetworkID !== '')
    ) {
      throw new PermissionDenied(`endpoint with name ${record.name} already exists in network ${network.name}`);
    }
    const asked = blankEndpoint({ ...defaultEndpoint, ...settings, NetworkID: network.id });
    const attachment = attachmentOf(network.name, asked, asked.MacAddress, []);
    services.networks.checkAttachment(attachment);
    if (state.running && state.pid > 0) {
      const sandbox = {
        containerId: record.id,
        name: record.name,
        hostname: record.config.Hostname,
        resolver: resolverOverrides(services, container),
        endpoints: record.endpoints,
      };
      const endpoints = await services.networks.connectRunning(sandbox, state.pid, attachment);
      record.networks[network.name] = asked;
      setEndpoints(services, container, endpoints);
    } else record.networks[network.name] = asked;
    services.store.save(container);
    services.events.publish('network', 'connect', network.id, {
      container: record.id,
      name: network.name,
      type: network.driver,
    });
  });
}

export async function disconnectContainer(
  services: ContainerServices,
  container: Container,
  network: NetworkRecord,
): Promise<void> {
  await container.lock.run(async () => {
    const { record, state } = container;
    if (record.networks[network.name] === undefined) {
      throw new PermissionDenied(`container ${record.id} is not connected to network ${network.name}`);
    }
    if (network.name === 'host')
      throw new InvalidArgument('container cannot be disconnected from host network or connected to host network');
    if (state.running && state.pid > 0) {
      const sandbox = {
        containerId: record.id,
        name: record.name,
        hostname: record.config.Hostname,
        endpoints: record.endpoints,
      };
      const endpoints = await services.networks.disconnectRunning(sandbox, state.pid, network.name);
      delete record.networks[network.name];
      setEndpoints(services, container, endpoints);
    } else delete record.networks[network.name];
    services.store.save(container);
    services.events.publish('network', 'disconnect', network.id, {
      container: record.id,
      name: network.name,
      type: network.driver,
    });
  });
}

function checkMode(mode: string, network: NetworkRecord): void {
  if (mode.startsWith('container:')) {
    throw new InvalidArgument(
      'container sharing network namespace with another container or host cannot be connected to any other network',
    );
  }
  if (network.name === 'host' && mode !== 'host') {
    throw new InvalidArgument(
      'cannot connect container to host network - container must be created in host network mode',
    );
  }
  if (mode === 'host') {
    throw new InvalidArgument('container cannot be disconnected from host network or connected to host network');
  }
  if (mode === 'none' || network.name === 'none') {
    throw new InvalidArgument(
      'container cannot be connected to multiple networks with one of the networks in private (none) mode',
    );
  }
}

/** What the network says now, for inspect and /etc/hosts. */
function setEndpoints(services: ContainerServices, container: Container, endpoints: readonly Endpoint[]): void {
  const { record } = container;
  record.endpoints = endpoints;
  for (const endpoint of endpoints) {
    const asked = record.networks[endpoint.networkName] ?? defaultEndpoint;
    record.networks[endpoint.networkName] = liveEndpoint(asked, endpoint);
  }
  record.ports = portMap(record.config.ExposedPorts ?? {}, endpoints);
  writeNetworkFiles(services, container, endpoints);
}
