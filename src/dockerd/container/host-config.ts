// Defaults of a HostConfig, and what a newer core makes of the requests of older clients (moby daemon/daemon_unix.go,
// adaptContainerSettings; server/router/container/container_routes.go).

import type { HostConfig } from '../../api/index.ts';
import type { Config } from '../config/config.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What defaulting needs to know. */
export interface HostFacts {
  readonly cgroupVersion: 1 | 2;
}

export const defaultMaskedPaths: readonly string[] = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];

export const defaultReadonlyPaths: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

/** The request with every default filled in. `below` asks about the client's API version. */
export function completeHostConfig(
  request: HostConfig,
  config: Config,
  facts: HostFacts,
  below: (version: string) => boolean,
): HostConfig {
  const host: Mutable<HostConfig> = { ...request };
  if (host.NetworkMode === '' || host.NetworkMode === 'default') host.NetworkMode = 'bridge';
  if (host.RestartPolicy.Name === '') host.RestartPolicy = { ...host.RestartPolicy, Name: 'no' };
  if (host.ShmSize === 0) host.ShmSize = config.shmSizeBytes;
  if (host.Runtime === '') host.Runtime = config.defaultRuntime;
  if (host.IpcMode === '') host.IpcMode = below('1.40') ? 'shareable' : config.ipcMode;
  if (host.CgroupnsMode === '') {
    const byVersion = facts.cgroupVersion === 2 ? 'private' : 'host';
    host.CgroupnsMode = host.Privileged && facts.cgroupVersion === 1 ? 'host' : (config.cgroupnsMode ?? byVersion);
  }
  if (host.LogConfig.Type === '') {
    // The daemon's options belong to the daemon's driver only.
    host.LogConfig = { Type: config.logDriver, Config: { ...config.logOptions, ...host.LogConfig.Config } };
  } else if (host.LogConfig.Type === config.logDriver) {
    host.LogConfig = { Type: host.LogConfig.Type, Config: { ...config.logOptions, ...host.LogConfig.Config } };
  } else host.LogConfig = { Type: host.LogConfig.Type, Config: host.LogConfig.Config ?? {} };
  if (host.Memory > 0 && host.MemorySwap === 0) host.MemorySwap = host.Memory * 2;
  if (host.PidsLimit !== null && host.PidsLimit <= 0) host.PidsLimit = null;
  host.Ulimits = mergeUlimits(host.Ulimits ?? [], config);
  if (host.MemorySwappiness === -1) host.MemorySwappiness = null;
  host.OomKillDisable ??= false;
  if (host.ConsoleSize === null || host.ConsoleSize.length !== 2 || below('1.42')) host.ConsoleSize = [0, 0];
  if (below('1.43')) host.Annotations = undefined;
  host.Dns ??= [];
  host.DnsOptions ??= [];
  host.DnsSearch ??= [];
  host.PortBindings ??= {};
  // Privileged containers see everything, unless paths were named.
  if (!host.Privileged) {
    host.MaskedPaths ??= defaultMaskedPaths;
    host.ReadonlyPaths ??= defaultReadonlyPaths;
  }
  return host;
}

function mergeUlimits(own: NonNullable<HostConfig['Ulimits']>, config: Config): NonNullable<HostConfig['Ulimits']> {
  const names = new Set(own.map(limit => limit.Name));
  return [...own, ...config.defaultUlimits.filter(limit => !names.has(limit.Name))];
}
