// Containers on the wire: create, inspect, list, wait, top, changes, stats.

import { bool, type Decoded, dict, emptyStruct, int, list, optional, struct, text, textOrList } from './decode.ts';
import { type HostConfig, hostConfigShape, type PortBinding } from './host-config.ts';
import { type EndpointSettings, endpointSettingsShape } from './network.ts';

const healthcheckShape = struct('v1.HealthcheckConfig', {
  Test: optional(list(text())),
  Interval: optional(int('time.Duration')),
  Timeout: optional(int('time.Duration')),
  StartPeriod: optional(int('time.Duration')),
  StartInterval: optional(int('time.Duration')),
  Retries: optional(int('int')),
});

const configFields = {
  Hostname: text(),
  Domainname: text(),
  User: text(),
  AttachStdin: bool(),
  AttachStdout: bool(),
  AttachStderr: bool(),
  ExposedPorts: optional(dict(emptyStruct(), 'nat.Port')),
  Tty: bool(),
  OpenStdin: bool(),
  StdinOnce: bool(),
  Env: list(text()),
  Cmd: textOrList(),
  Healthcheck: optional(healthcheckShape),
  ArgsEscaped: optional(bool()),
  Image: text(),
  Volumes: dict(emptyStruct()),
  WorkingDir: text(),
  Entrypoint: textOrList(),
  NetworkDisabled: optional(bool()),
  MacAddress: optional(text()),
  OnBuild: optional(list(text())),
  Labels: dict(text()),
  StopSignal: optional(text()),
  StopTimeout: optional(int('int')),
  Shell: optional(textOrList()),
};

/** What runs inside a container. Fields in the order in which Docker prints them. */
export const containerConfigShape = struct('container.Config', configFields);
export type ContainerConfig = Decoded<typeof containerConfigShape>;

export const networkingConfigShape = struct('network.NetworkingConfig', {
  EndpointsConfig: dict(endpointSettingsShape),
});
export type NetworkingConfig = Decoded<typeof networkingConfigShape>;

/** The body of POST /containers/create: a Config with two more fields. */
export const containerCreateShape = struct('container.CreateRequest', {
  ...configFields,
  HostConfig: optional(hostConfigShape),
  NetworkingConfig: optional(networkingConfigShape),
});
export type ContainerCreateRequest = Decoded<typeof containerCreateShape>;

export interface ContainerCreateResponse {
  readonly Id: string;
  readonly Warnings: readonly string[];
}

export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

export interface HealthResult {
  readonly Start: string;
  readonly End: string;
  readonly ExitCode: number;
  readonly Output: string;
}

export interface Health {
  readonly Status: 'none' | 'starting' | 'healthy' | 'unhealthy';
  readonly FailingStreak: number;
  readonly Log: readonly HealthResult[] | null;
}

export interface ContainerState {
  readonly Status: ContainerStatus;
  /** True while paused too, and between the tries of a restart policy. */
  readonly Running: boolean;
  readonly Paused: boolean;
  readonly Restarting: boolean;
  readonly OOMKilled: boolean;
  readonly Dead: boolean;
  readonly Pid: number;
  readonly ExitCode: number;
  readonly Error: string;
  readonly StartedAt: string;
  readonly FinishedAt: string;
  readonly Health?: Health;
}

/** A mount as it is, in inspect and list. */
export interface MountPoint {
  readonly Type: string;
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}

export type PortMap = Readonly<Record<string, readonly PortBinding[] | null>>;

export interface NetworkSettings {
  readonly Bridge: string;
  readonly SandboxID: string;
  readonly SandboxKey: string;
  readonly Ports: PortMap;
  readonly HairpinMode: boolean;
  readonly LinkLocalIPv6Address: string;
  readonly LinkLocalIPv6PrefixLen: number;
  readonly SecondaryIPAddresses: null;
  readonly SecondaryIPv6Addresses: null;
  readonly EndpointID: string;
  readonly Gateway: string;
  readonly GlobalIPv6Address: string;
  readonly GlobalIPv6PrefixLen: number;
  readonly IPAddress: string;
  readonly IPPrefixLen: number;
  readonly IPv6Gateway: string;
  readonly MacAddress: string;
  readonly Networks: Readonly<Record<string, EndpointSettings>>;
}

export interface GraphDriverData {
  readonly Data: Readonly<Record<string, string>> | null;
  readonly Name: string;
}

export interface ContainerInspect {
  readonly Id: string;
  readonly Created: string;
  readonly Path: string;
  readonly Args: readonly string[];
  readonly State: ContainerState;
  readonly Image: string;
  readonly ResolvConfPath: string;
  readonly HostnamePath: string;
  readonly HostsPath: string;
  readonly LogPath: string;
  readonly Name: string;
  readonly RestartCount: number;
  readonly Driver: string;
  readonly Platform: string;
  readonly MountLabel: string;
  readonly ProcessLabel: string;
  readonly AppArmorProfile: string;
  readonly ExecIDs: readonly string[] | null;
  readonly HostConfig: HostConfig;
  readonly GraphDriver: GraphDriverData;
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly ImageManifestDescriptor?: unknown;
  readonly Mounts: readonly MountPoint[];
  readonly Config: ContainerConfig;
  readonly NetworkSettings: NetworkSettings;
}

export interface PortSummary {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

/** One item of GET /containers/json, newest first. */
export interface ContainerSummary {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly ImageID: string;
  readonly ImageManifestDescriptor?: unknown;
  readonly Command: string;
  readonly Created: number;
  readonly Ports: readonly PortSummary[];
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly Labels: Readonly<Record<string, string>>;
  readonly State: ContainerStatus;
  readonly Status: string;
  readonly HostConfig: { readonly NetworkMode: string; readonly Annotations?: Readonly<Record<string, string>> };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, EndpointSettings>> };
  readonly Mounts: readonly MountPoint[];
}

export interface ContainerWaitResponse {
  readonly StatusCode: number;
  readonly Error?: { readonly Message: string } | null;
}

export interface ContainerTopResponse {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[];
}

export interface ContainerUpdateResponse {
  readonly Warnings: readonly string[] | null;
}

export interface ContainersPruneReport {
  readonly ContainersDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}
