// HostConfig: how a container meets its host. One table is both the decoder of requests and the type of answers.

import { anything, bool, type Decoded, dict, int, list, nullable, optional, struct, text } from './decode.ts';

const throttleDevice = struct('blkiodev.ThrottleDevice', { Path: text(), Rate: int('uint64') });
const weightDevice = struct('blkiodev.WeightDevice', { Path: text(), Weight: int('uint16') });

export const portBindingShape = struct('nat.PortBinding', { HostIp: text(), HostPort: text() });
export type PortBinding = Decoded<typeof portBindingShape>;

export const restartPolicyShape = struct('container.RestartPolicy', {
  Name: text('container.RestartPolicyMode'),
  MaximumRetryCount: int('int'),
});
export type RestartPolicy = Decoded<typeof restartPolicyShape>;

export const deviceMappingShape = struct('container.DeviceMapping', {
  PathOnHost: text(),
  PathInContainer: text(),
  CgroupPermissions: text(),
});
export type DeviceMapping = Decoded<typeof deviceMappingShape>;

export const deviceRequestShape = struct('container.DeviceRequest', {
  Driver: text(),
  Count: int('int'),
  DeviceIDs: list(text()),
  Capabilities: list(list(text())),
  Options: dict(text()),
});

export const ulimitShape = struct('container.Ulimit', { Name: text(), Hard: int(), Soft: int() });
export type Ulimit = Decoded<typeof ulimitShape>;

export const mountShape = struct('mount.Mount', {
  Type: text('mount.Type'),
  Source: text(),
  Target: text(),
  ReadOnly: bool(),
  Consistency: text('mount.Consistency'),
  BindOptions: optional(
    struct('mount.BindOptions', {
      Propagation: text('mount.Propagation'),
      NonRecursive: bool(),
      CreateMountpoint: bool(),
      ReadOnlyNonRecursive: bool(),
      ReadOnlyForceRecursive: bool(),
    }),
  ),
  VolumeOptions: optional(
    struct('mount.VolumeOptions', {
      NoCopy: bool(),
      Labels: dict(text()),
      Subpath: text(),
      DriverConfig: optional(struct('mount.Driver', { Name: text(), Options: dict(text()) })),
    }),
  ),
  ImageOptions: optional(struct('mount.ImageOptions', { Subpath: text() })),
  TmpfsOptions: optional(
    struct('mount.TmpfsOptions', {
      SizeBytes: int(),
      Mode: int('fs.FileMode'),
      Options: list(list(text())),
    }),
  ),
  ClusterOptions: optional(anything()),
});
/** One entry of HostConfig.Mounts: what was asked for. */
export type MountRequest = Decoded<typeof mountShape>;

/** The limits that `update` can change too. */
export const resourceFields = {
  CpuShares: int(),
  Memory: int(),
  NanoCpus: int(),
  CgroupParent: text(),
  BlkioWeight: int('uint16'),
  BlkioWeightDevice: list(weightDevice),
  BlkioDeviceReadBps: list(throttleDevice),
  BlkioDeviceWriteBps: list(throttleDevice),
  BlkioDeviceReadIOps: list(throttleDevice),
  BlkioDeviceWriteIOps: list(throttleDevice),
  CpuPeriod: int(),
  CpuQuota: int(),
  CpuRealtimePeriod: int(),
  CpuRealtimeRuntime: int(),
  CpusetCpus: text(),
  CpusetMems: text(),
  Devices: list(deviceMappingShape),
  DeviceCgroupRules: list(text()),
  DeviceRequests: list(deviceRequestShape),
  KernelMemory: optional(int()),
  KernelMemoryTCP: optional(int()),
  MemoryReservation: int(),
  MemorySwap: int(),
  MemorySwappiness: nullable(int()),
  OomKillDisable: nullable(bool()),
  PidsLimit: nullable(int()),
  Ulimits: list(ulimitShape),
  CpuCount: int(),
  CpuPercent: int(),
  IOMaximumIOps: int('uint64'),
  IOMaximumBandwidth: int('uint64'),
};

/** Fields in the order in which Docker prints them. */
export const hostConfigShape = struct('container.HostConfig', {
  Binds: list(text()),
  ContainerIDFile: text(),
  LogConfig: struct('container.LogConfig', { Type: text(), Config: dict(text()) }),
  NetworkMode: text('container.NetworkMode'),
  PortBindings: dict(list(portBindingShape), 'nat.Port'),
  RestartPolicy: restartPolicyShape,
  AutoRemove: bool(),
  VolumeDriver: text(),
  VolumesFrom: list(text()),
  /** Height, width. */
  ConsoleSize: list(int('uint')),
  Annotations: optional(dict(text())),
  CapAdd: list(text()),
  CapDrop: list(text()),
  CgroupnsMode: text('container.CgroupnsMode'),
  Dns: list(text()),
  DnsOptions: list(text()),
  DnsSearch: list(text()),
  ExtraHosts: list(text()),
  GroupAdd: list(text()),
  IpcMode: text('container.IpcMode'),
  Cgroup: text('container.CgroupSpec'),
  Links: list(text()),
  OomScoreAdj: int('int'),
  PidMode: text('container.PidMode'),
  Privileged: bool(),
  PublishAllPorts: bool(),
  ReadonlyRootfs: bool(),
  SecurityOpt: list(text()),
  StorageOpt: optional(dict(text())),
  Tmpfs: optional(dict(text())),
  UTSMode: text('container.UTSMode'),
  UsernsMode: text('container.UsernsMode'),
  ShmSize: int(),
  Sysctls: optional(dict(text())),
  Runtime: text(),
  Isolation: text('container.Isolation'),
  ...resourceFields,
  Mounts: optional(list(mountShape)),
  MaskedPaths: list(text()),
  ReadonlyPaths: list(text()),
  Init: optional(bool()),
});
export type HostConfig = Decoded<typeof hostConfigShape>;

/** The body of POST /containers/{id}/update. */
export const updateRequestShape = struct('container.UpdateConfig', {
  ...resourceFields,
  RestartPolicy: restartPolicyShape,
});
export type UpdateRequest = Decoded<typeof updateRequestShape>;
