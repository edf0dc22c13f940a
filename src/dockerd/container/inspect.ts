// GET /containers/{id}/json: a record as the API shows it. Fields in Docker's order.

import {
  type ContainerInspect,
  type ContainerState,
  type EndpointSettings,
  type MountPoint,
  type NetworkSettings,
  versionLessThan,
} from '../../api/index.ts';
import type { SnapshotMount } from '../../containerd/index.ts';
import type { Container } from './container.ts';
import { shortId } from './id.ts';
import { networkFilesOf } from './network-files.ts';
import { containerPaths } from './paths.ts';
import { type ContainerRecord, type StateRecord, statusOf } from './record.ts';
import type { ContainerServices } from './services.ts';

/** The whole inspection. `sizes` are only there when asked for. */
export async function inspectContainer(
  services: ContainerServices,
  container: Container,
  version: string,
  sizes?: { readonly SizeRw: number; readonly SizeRootFs: number },
): Promise<ContainerInspect> {
  const { record } = container;
  const paths = containerPaths(services.config.dataRoot, record.id);
  const joinsNetwork = record.hostConfig.NetworkMode.startsWith('container:');
  const owner = joinsNetwork ? services.store.lookUp(record.hostConfig.NetworkMode.slice(10)) : container;
  const files = owner === undefined || record.endpoints === undefined ? paths : networkFilesOf(services, container);
  const started = record.state.startedAt !== '0001-01-01T00:00:00Z';
  const mounts = await services.snapshotter.mounts(record.id).catch(() => []);
  return {
    Id: record.id,
    Created: record.created,
    Path: record.path,
    Args: record.args,
    State: stateOf(record.state),
    Image: record.imageId,
    ResolvConfPath: started ? files.resolvConf : '',
    HostnamePath: started ? files.hostname : '',
    HostsPath: started ? files.hosts : '',
    LogPath: started && record.hostConfig.LogConfig.Type === 'json-file' ? paths.log : '',
    Name: `/${record.name}`,
    RestartCount: record.restartCount,
    Driver: 'overlayfs',
    Platform: record.platform,
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: record.hostConfig.Privileged ? 'unconfined' : '',
    ExecIDs: container.execIds.size === 0 ? null : [...container.execIds],
    HostConfig: {
      ...record.hostConfig,
      ...(record.hostConfig.Mounts && { Mounts: record.hostConfig.Mounts.map(withoutZeros) }),
    },
    GraphDriver: { Data: graphData(record.id, mounts), Name: 'overlayfs' },
    ...sizes,
    Mounts: record.mounts.map(mountPoint),
    Config: record.config,
    NetworkSettings: networkSettings(record, version),
  };
}

/** A mount request as Go prints it: what is zero is left out. */
function withoutZeros<T extends object>(value: T): T {
  const isZero = (field: unknown): boolean =>
    field === undefined || field === null || field === '' || field === 0 || field === false;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => !isZero(field))
      .map(([key, field]) => [
        key,
        typeof field === 'object' && !Array.isArray(field) ? withoutZeros(field as object) : field,
      ]),
  ) as T;
}

export function stateOf(state: StateRecord): ContainerState {
  return {
    Status: statusOf(state),
    Running: state.running,
    Paused: state.paused,
    Restarting: state.restarting,
    OOMKilled: state.oomKilled,
    Dead: state.dead,
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt,
    FinishedAt: state.finishedAt,
    ...(state.health !== undefined && { Health: state.health }),
  };
}

/** A mount without what only the engine knows of it. */
export function mountPoint(mount: ContainerRecord['mounts'][number]): MountPoint {
  const { Type, Name, Source, Destination, Driver, Mode, RW, Propagation } = mount;
  return {
    Type,
    ...(Name !== undefined && { Name }),
    Source,
    Destination,
    ...(Driver !== undefined && { Driver }),
    Mode,
    RW,
    Propagation,
  };
}

function graphData(id: string, mounts: readonly SnapshotMount[]): Record<string, string> {
  const overlay = mounts[0]?.overlay;
  if (overlay === undefined) return { ID: id };
  return {
    ID: id,
    LowerDir: overlay.lowerdirs.join(':'),
    // The root is mounted inside the container's own mount namespace only.
    MergedDir: '',
    UpperDir: overlay.upperdir ?? '',
    WorkDir: overlay.workdir ?? '',
  };
}

/** Endpoints for a version. Clients that do not know DNSNames find the short id among the aliases (moby container_routes.go, 1.44 and 1.45). */
function endpointsFor(record: ContainerRecord, version: string): Record<string, EndpointSettings> {
  if (!versionLessThan(version, '1.45')) return record.networks;
  const old = versionLessThan(version, '1.44');
  return Object.fromEntries(
    Object.entries(record.networks).map(([name, endpoint]) => {
      const custom = !['bridge', 'host', 'none'].includes(name);
      const Aliases = custom ? [...(endpoint.Aliases ?? []), shortId(record.id)] : endpoint.Aliases;
      return [name, { ...endpoint, Aliases, ...(old && { DNSNames: null }) }];
    }),
  );
}

function networkSettings(record: ContainerRecord, version: string): NetworkSettings {
  const bridge = record.networks.bridge;
  return {
    Bridge: '',
    SandboxID: record.sandboxId,
    SandboxKey:
      record.state.pid > 0 && record.hostConfig.NetworkMode !== 'host' ? `/proc/${record.state.pid}/ns/net` : '',
    Ports: record.ports,
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.EndpointID ?? '',
    Gateway: bridge?.Gateway ?? '',
    GlobalIPv6Address: bridge?.GlobalIPv6Address ?? '',
    GlobalIPv6PrefixLen: bridge?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: bridge?.IPAddress ?? '',
    IPPrefixLen: bridge?.IPPrefixLen ?? 0,
    IPv6Gateway: bridge?.IPv6Gateway ?? '',
    MacAddress: bridge?.MacAddress ?? '',
    Networks: endpointsFor(record, version),
  };
}
