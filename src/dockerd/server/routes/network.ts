// The network endpoints.

import {
  type EndpointSettings,
  endpointSettingsShape,
  type Filters,
  type NetworkEndpoint,
  type NetworkInspect,
  networkConnectShape,
  networkCreateShape,
  networkDisconnectShape,
} from '../../../api/index.ts';
import { Conflict, InvalidArgument, NotFound, Unavailable } from '../../../errdefs/index.ts';
import type { Endpoint, NetworkController, NetworkRecord } from '../../../network/index.ts';
import { parseNs } from '../../clock.ts';
import { connectContainer, disconnectContainer } from '../../container/network-connect.ts';
import { untilOf } from '../../container/prune.ts';
import type { ContainerServices } from '../../container/services.ts';
import { denialStatus } from '../../network/egress.ts';
import type { Handlers } from '../server.ts';

type Names =
  | 'networkList'
  | 'networkCreate'
  | 'networkPrune'
  | 'networkInspect'
  | 'networkRemove'
  | 'networkConnect'
  | 'networkDisconnect';

let pruning = false;

export function networkHandlers(services: ContainerServices): Pick<Handlers, Names> {
  const { networks, events } = services;
  return {
    networkList(call) {
      const filters = call.filters(['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type']);
      const found = networks.listNetworks().filter(network => matches(services, network, filters));
      call.json(
        200,
        found.map(network => inspect(network, [])),
      );
    },

    async networkCreate(call) {
      const request = await call.body(networkCreateShape, 'CreateRequest');
      if (request.Name.trim() === '') throw new InvalidArgument('invalid name: name is empty');
      if (request.Driver === 'overlay') {
        throw new Unavailable(
          'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
        );
      }
      const config = (request.IPAM?.Config ?? []).map(entry => ({
        ...(entry.Subnet && { subnet: entry.Subnet }),
        ...(entry.IPRange && { ipRange: entry.IPRange }),
        ...(entry.Gateway && { gateway: entry.Gateway }),
        ...((entry.AuxiliaryAddresses ?? entry.AuxAddress) && {
          auxiliaryAddresses: entry.AuxiliaryAddresses ?? entry.AuxAddress ?? {},
        }),
      }));
      const network = await networks.createNetwork({
        name: request.Name,
        driver: request.Driver,
        ...(request.EnableIPv4 !== undefined && { enableIPv4: request.EnableIPv4 }),
        ...(request.EnableIPv6 !== undefined && { enableIPv6: request.EnableIPv6 }),
        ipam: {
          ...(request.IPAM?.Driver && { driver: request.IPAM.Driver }),
          ...(request.IPAM?.Options && { options: request.IPAM.Options }),
          config,
        },
        internal: request.Internal,
        attachable: request.Attachable,
        ingress: request.Ingress,
        configOnly: request.ConfigOnly,
        ...(request.ConfigFrom && { configFrom: request.ConfigFrom.Network }),
        ...(request.Options !== null && { options: request.Options }),
        ...(request.Labels !== null && { labels: request.Labels }),
      });
      events.publish('network', 'create', network.id, { name: network.name, type: network.driver });
      call.json(201, { Id: network.id, Warning: '' });
    },

    async networkPrune(call) {
      const filters = call.filters(['label', 'label!', 'until']);
      if (pruning) throw new Conflict('a prune operation is already running');
      pruning = true;
      try {
        const until = untilOf(filters);
        const all = networks.listNetworks();
        const deleted = await networks.pruneNetworks(network => {
          if (until !== undefined && (parseNs(network.created) ?? 0n) > until) return false;
          if (filters.has('label!') && filters.labels('label!', network.labels)) return false;
          return filters.labels('label', network.labels);
        });
        for (const { id, name, driver } of all) {
          if (deleted.includes(name)) events.publish('network', 'destroy', id, { name, type: driver });
        }
        events.publish('network', 'prune', '', { reclaimed: '0' });
        call.json(200, { NetworksDeleted: deleted.length > 0 ? deleted : null });
      } finally {
        pruning = false;
      }
    },

    networkInspect(call) {
      const scope = call.query.text('scope');
      const network = networks.getNetwork(call.param('id'));
      if (scope !== '' && scope !== network.scope) throw new NotFound(`network ${call.param('id')} not found`);
      call.json(200, {
        ...inspect(network, networks.endpointsOf(network.id)),
        ...denialStatus(networks.denials(network.id)),
      });
    },

    async networkRemove(call) {
      const network = networks.getNetwork(call.param('id'));
      await networks.removeNetwork(network.id);
      events.publish('network', 'destroy', network.id, { name: network.name, type: network.driver });
      call.empty(204);
    },

    async networkConnect(call) {
      const network = networks.getNetwork(call.param('id'));
      const request = await call.body(networkConnectShape, 'ConnectOptions');
      if (request.Container === '') throw new InvalidArgument('invalid name or ID supplied: ""');
      const container = services.store.find(request.Container);
      const settings: EndpointSettings = request.EndpointConfig ?? endpointSettingsShape.zero();
      await connectContainer(services, container, network, settings);
      call.empty(200);
    },

    async networkDisconnect(call) {
      const request = await call.body(networkDisconnectShape, 'DisconnectOptions');
      const network = networks.getNetwork(call.param('id'));
      if (request.Force && services.store.lookUp(request.Container) === undefined) {
        // An endpoint of a container that is gone; ours go with their containers.
        throw new NotFound(`endpoint ${request.Container} not found`);
      }
      const container = services.store.find(request.Container);
      await disconnectContainer(services, container, network);
      call.empty(200);
    },
  };
}

const predefined = ['bridge', 'host', 'none'];

function matches(services: ContainerServices, network: NetworkRecord, filters: Filters): boolean {
  const any = (key: string, test: (value: string) => boolean): boolean => {
    const values = filters.get(key);
    return values.length === 0 || values.some(test);
  };
  for (const type of filters.get('type')) {
    if (type !== 'custom' && type !== 'builtin') throw new InvalidArgument(`invalid filter: 'type'='${type}'`);
  }
  if (filters.has('dangling')) {
    const dangling = !predefined.includes(network.name) && inUse(services.networks, network) === 0;
    if (dangling !== filters.bool('dangling', false)) return false;
  }
  return (
    any('driver', value => network.driver === value) &&
    any('id', value => network.id.startsWith(value) || network.id.includes(value)) &&
    filters.match('name', network.name) &&
    any('scope', value => network.scope === value) &&
    any('type', value => (value === 'builtin') === predefined.includes(network.name)) &&
    filters.labels('label', network.labels)
  );
}

const inUse = (networks: NetworkController, network: NetworkRecord): number => networks.endpointsOf(network.id).length;

/** A network as the API shows it. */
function inspect(network: NetworkRecord, endpoints: readonly Endpoint[]): NetworkInspect {
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created,
    Scope: network.scope,
    Driver: network.driver,
    EnableIPv4: network.enableIPv4,
    EnableIPv6: network.enableIPv6,
    IPAM: {
      Driver: network.ipam.driver,
      Options: network.ipam.options ?? null,
      Config:
        network.ipam.config.length === 0 && ['host', 'none'].includes(network.name)
          ? null
          : network.ipam.config.map(entry => ({
              Subnet: entry.subnet,
              IPRange: entry.ipRange,
              Gateway: entry.gateway,
              AuxiliaryAddresses: entry.auxiliaryAddresses,
              AuxAddress: undefined,
            })),
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: network.ingress,
    ConfigFrom: { Network: network.configFrom },
    ConfigOnly: network.configOnly,
    Containers: Object.fromEntries(endpoints.map(endpoint => [endpoint.containerId, endpointSummary(endpoint)])),
    Options: network.options,
    Labels: network.labels,
  };
}

function endpointSummary(endpoint: Endpoint): NetworkEndpoint {
  const address = (at: Endpoint['ipv4']): string => (at === undefined ? '' : `${at.address}/${at.prefixLength}`);
  return {
    Name: endpoint.containerName,
    EndpointID: endpoint.id,
    MacAddress: endpoint.macAddress,
    IPv4Address: address(endpoint.ipv4),
    IPv6Address: address(endpoint.ipv6),
  };
}
