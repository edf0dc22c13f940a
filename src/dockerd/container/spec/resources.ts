// HostConfig's limits as the runtime spec's resources (moby daemon/oci_linux.go, withResources).

import { lstatSync } from 'node:fs';
import type { HostConfig } from '../../../api/index.ts';
import { InvalidArgument } from '../../../errdefs/index.ts';
import type {
  BlockIO,
  CpuResources,
  DeviceRule,
  MemoryResources,
  Resources,
  ThrottleDevice,
} from '../../../oci/index.ts';
import { majorOf, minorOf } from './devices.ts';

/** The fields that limits are made of: also what `update` sends. */
export type Limits = Pick<
  HostConfig,
  | 'CpuShares'
  | 'Memory'
  | 'NanoCpus'
  | 'BlkioWeight'
  | 'BlkioWeightDevice'
  | 'BlkioDeviceReadBps'
  | 'BlkioDeviceWriteBps'
  | 'BlkioDeviceReadIOps'
  | 'BlkioDeviceWriteIOps'
  | 'CpuPeriod'
  | 'CpuQuota'
  | 'CpuRealtimePeriod'
  | 'CpuRealtimeRuntime'
  | 'CpusetCpus'
  | 'CpusetMems'
  | 'KernelMemoryTCP'
  | 'MemoryReservation'
  | 'MemorySwap'
  | 'MemorySwappiness'
  | 'OomKillDisable'
  | 'PidsLimit'
>;

const cfsPeriod = 100_000;

/** Limits without devices. */
export function resourcesOf(limits: Limits): Resources {
  const cpu = cpuOf(limits);
  return {
    memory: memoryOf(limits),
    ...(Object.keys(cpu).length > 0 && { cpu }),
    ...(limits.PidsLimit !== null && limits.PidsLimit > 0 && { pids: { limit: limits.PidsLimit } }),
    blockIO: blockIoOf(limits),
  };
}

export const withDevices = (resources: Resources, devices: readonly DeviceRule[]): Resources => ({
  devices,
  ...resources,
});

function memoryOf(limits: Limits): MemoryResources {
  return {
    ...(limits.Memory > 0 && { limit: limits.Memory }),
    ...(limits.MemoryReservation > 0 && { reservation: limits.MemoryReservation }),
    ...(limits.Memory > 0 && limits.MemorySwap !== 0 && { swap: limits.MemorySwap }),
    ...(limits.MemorySwappiness !== null && limits.MemorySwappiness >= 0 && { swappiness: limits.MemorySwappiness }),
    ...(limits.OomKillDisable !== null && { disableOOMKiller: limits.OomKillDisable }),
  };
}

function cpuOf(limits: Limits): CpuResources {
  return {
    ...(limits.CpuShares > 0 && { shares: limits.CpuShares }),
    ...(limits.NanoCpus > 0
      ? { quota: Math.round((limits.NanoCpus * cfsPeriod) / 1e9), period: cfsPeriod }
      : {
          ...(limits.CpuQuota !== 0 && { quota: limits.CpuQuota }),
          ...(limits.CpuPeriod !== 0 && { period: limits.CpuPeriod }),
        }),
    ...(limits.CpuRealtimePeriod !== 0 && { realtimePeriod: limits.CpuRealtimePeriod }),
    ...(limits.CpuRealtimeRuntime !== 0 && { realtimeRuntime: limits.CpuRealtimeRuntime }),
    ...(limits.CpusetCpus !== '' && { cpus: limits.CpusetCpus }),
    ...(limits.CpusetMems !== '' && { mems: limits.CpusetMems }),
  };
}

function blockIoOf(limits: Limits): BlockIO {
  const throttle = (list: Limits['BlkioDeviceReadBps']): ThrottleDevice[] =>
    (list ?? []).map(entry => ({ ...numbersOf(entry.Path), rate: entry.Rate }));
  const weights = (limits.BlkioWeightDevice ?? []).map(entry => ({ ...numbersOf(entry.Path), weight: entry.Weight }));
  const lists = {
    throttleReadBpsDevice: throttle(limits.BlkioDeviceReadBps),
    throttleWriteBpsDevice: throttle(limits.BlkioDeviceWriteBps),
    throttleReadIOPSDevice: throttle(limits.BlkioDeviceReadIOps),
    throttleWriteIOPSDevice: throttle(limits.BlkioDeviceWriteIOps),
  };
  return {
    ...(limits.BlkioWeight > 0 && { weight: limits.BlkioWeight }),
    ...(weights.length > 0 && { weightDevice: weights }),
    ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)),
  };
}

function numbersOf(device: string): { major: number; minor: number } {
  const stat = lstatSync(device, { throwIfNoEntry: false });
  if (stat === undefined) throw new InvalidArgument(`stat ${device}: no such file or directory`);
  return { major: majorOf(stat.rdev), minor: minorOf(stat.rdev) };
}
