// runtime-spec config-linux.md "Control groups" → the files of each cgroup version and what is written to them. Pure data, for creating
// and for live updates alike.

import { InvalidArgument } from '../../errdefs/index.ts';
import type { BlockIO, Resources, ThrottleDevice } from '../../oci/index.ts';

/** One write. Written in the listed order. */
export interface CgroupValue {
  /** v1: which hierarchy the file is in. */
  readonly controller: string;
  readonly file: string;
  readonly value: string;
  /** The property that asks for it, for errors and readers. */
  readonly property: string;
  /** The file may be missing where the kernel lacks the feature, and the container works the same without it. */
  readonly optional?: boolean;
}

/** -1 is the spec's "unlimited". */
const unlimited = (value: number | undefined): boolean => value === -1;

function collector() {
  const values: CgroupValue[] = [];
  const add = (
    property: string,
    controller: string,
    file: string,
    value: number | string | undefined,
    optional = false,
  ) => {
    if (value === undefined) return;
    values.push({ controller, file, value: String(value), property, ...(optional && { optional }) });
  };
  return { values, add };
}

/** The writes that set `resources` (without devices) in a cgroup v1. */
export function v1Values(resources: Resources): readonly CgroupValue[] {
  const { values, add } = collector();
  const { memory, cpu, blockIO } = resources;
  // 0 means unset throughout runc and Docker, except where the kernel itself takes 0.
  const set = (value: number | undefined) => (value === 0 ? undefined : value);
  if (memory !== undefined) {
    if (memory.limit && memory.limit > 0 && memory.swap && memory.swap > 0 && memory.swap < memory.limit) {
      throw new InvalidArgument('memory+swap limit should be >= memory limit');
    }
    add('memory.limit', 'memory', 'memory.limit_in_bytes', set(memory.limit));
    // A machine without swap accounting lacks the file; Docker asks for it whenever a limit is set.
    add('memory.swap', 'memory', 'memory.memsw.limit_in_bytes', set(memory.swap), true);
    add('memory.reservation', 'memory', 'memory.soft_limit_in_bytes', set(memory.reservation));
    add('memory.kernelTCP', 'memory', 'memory.kmem.tcp.limit_in_bytes', set(memory.kernelTCP));
    if (memory.disableOOMKiller === true) add('memory.disableOOMKiller', 'memory', 'memory.oom_control', 1);
    if (memory.swappiness !== undefined && memory.swappiness !== -1) {
      if (memory.swappiness < 0 || memory.swappiness > 100) {
        throw new InvalidArgument(`invalid memory swappiness value: ${memory.swappiness} (valid range is 0-100)`);
      }
      add('memory.swappiness', 'memory', 'memory.swappiness', memory.swappiness);
    }
  }
  if (cpu !== undefined) {
    add('cpu.idle', 'cpu', 'cpu.idle', set(cpu.idle));
    add('cpu.shares', 'cpu', 'cpu.shares', set(cpu.shares));
    add('cpu.period', 'cpu', 'cpu.cfs_period_us', set(cpu.period));
    add('cpu.quota', 'cpu', 'cpu.cfs_quota_us', set(cpu.quota));
    add('cpu.burst', 'cpu', 'cpu.cfs_burst_us', cpu.burst);
    add('cpu.realtimePeriod', 'cpu', 'cpu.rt_period_us', set(cpu.realtimePeriod));
    add('cpu.realtimeRuntime', 'cpu', 'cpu.rt_runtime_us', set(cpu.realtimeRuntime));
    add('cpu.cpus', 'cpuset', 'cpuset.cpus', cpu.cpus || undefined);
    add('cpu.mems', 'cpuset', 'cpuset.mems', cpu.mems || undefined);
  }
  if (resources.pids?.limit !== undefined && resources.pids.limit !== 0) {
    add('pids.limit', 'pids', 'pids.max', resources.pids.limit > 0 ? resources.pids.limit : 'max');
  }
  if (blockIO !== undefined) {
    add('blockIO.weight', 'blkio', 'blkio.bfq.weight', set(blockIO.weight));
    for (const device of blockIO.weightDevice ?? []) {
      const value = set(device.weight);
      if (value !== undefined) {
        add('blockIO.weightDevice', 'blkio', 'blkio.bfq.weight_device', `${device.major}:${device.minor} ${value}`);
      }
    }
    const throttles = [
      ['throttleReadBpsDevice', 'blkio.throttle.read_bps_device'],
      ['throttleWriteBpsDevice', 'blkio.throttle.write_bps_device'],
      ['throttleReadIOPSDevice', 'blkio.throttle.read_iops_device'],
      ['throttleWriteIOPSDevice', 'blkio.throttle.write_iops_device'],
    ] as const;
    for (const [property, file] of throttles) {
      for (const { major, minor, rate } of blockIO[property] ?? []) {
        add(`blockIO.${property}`, 'blkio', file, `${major}:${minor} ${rate}`);
      }
    }
  }
  for (const { pageSize, limit } of resources.hugepageLimits ?? []) {
    add('hugepageLimits', 'hugetlb', `hugetlb.${pageSize}.limit_in_bytes`, limit);
    add('hugepageLimits', 'hugetlb', `hugetlb.${pageSize}.rsvd.limit_in_bytes`, limit, true);
  }
  add('network.classID', 'net_cls', 'net_cls.classid', set(resources.network?.classID));
  for (const { name, priority } of resources.network?.priorities ?? []) {
    add('network.priorities', 'net_prio', 'net_prio.ifpriomap', `${name} ${priority}`);
  }
  addRdma(resources, add);
  return values;
}

type Add = ReturnType<typeof collector>['add'];

function addRdma(resources: Resources, add: Add): void {
  for (const [device, { hcaHandles, hcaObjects }] of Object.entries(resources.rdma ?? {})) {
    const parts = [device];
    if (hcaHandles !== undefined) parts.push(`hca_handle=${hcaHandles}`);
    if (hcaObjects !== undefined) parts.push(`hca_object=${hcaObjects}`);
    add('rdma', 'rdma', 'rdma.max', parts.join(' '));
  }
}

/** cpu.shares (2 to 262144, usually 1024) → cpu.weight (1 to 10000, usually 100): the curve of the cgroups library since 0.0.5, which maps 2, 1024 and 262144 to 1, 100 and 10000. */
export function cpuWeight(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  const l = Math.log2(shares);
  return Math.ceil(10 ** ((l * l + 125 * l) / 612 - 7 / 34));
}

/** blkio.weight (10 to 1000) → io.weight (1 to 10000). */
export const ioWeight = (weight: number): number => (weight === 0 ? 0 : Math.floor(1 + ((weight - 10) * 9999) / 990));

const limitOrMax = (value: number | undefined): string | undefined =>
  value === undefined || value === 0 ? undefined : unlimited(value) ? 'max' : String(value);

/** The writes that set `resources` (without devices) in a cgroup v2. */
export function v2Values(resources: Resources): readonly CgroupValue[] {
  const { values, add } = collector();
  const { memory, cpu, blockIO } = resources;
  if (memory !== undefined) {
    add('memory.limit', 'memory', 'memory.max', limitOrMax(memory.limit));
    const swap = memory.swap;
    if (swap !== undefined && swap !== 0) {
      const limit = memory.limit ?? 0;
      // The spec's swap is memory plus swap; v2 limits swap alone.
      if (swap > 0 && limit > 0 && swap < limit)
        throw new InvalidArgument('memory+swap limit should be >= memory limit');
      if (swap > 0 && limit <= 0) {
        if (memory.limit === undefined || memory.limit === 0) {
          throw new InvalidArgument('unable to set swap limit without memory limit');
        }
        throw new InvalidArgument('unable to set swap limit with unlimited memory');
      }
      add('memory.swap', 'memory', 'memory.swap.max', unlimited(swap) ? 'max' : swap - limit, true);
    } else if (unlimited(memory.limit)) {
      add('memory.limit', 'memory', 'memory.swap.max', 'max', true);
    }
    add('memory.reservation', 'memory', 'memory.low', limitOrMax(memory.reservation));
  }
  if (cpu !== undefined) {
    if (cpu.idle) add('cpu.idle', 'cpu', 'cpu.idle', cpu.idle);
    else if (cpu.shares) add('cpu.shares', 'cpu', 'cpu.weight', cpuWeight(cpu.shares));
    if (cpu.quota || cpu.period) {
      const quota = cpu.quota !== undefined && cpu.quota > 0 ? String(cpu.quota) : 'max';
      add('cpu.quota', 'cpu', 'cpu.max', `${quota} ${cpu.period || 100000}`);
    }
    add('cpu.burst', 'cpu', 'cpu.max.burst', cpu.burst);
    add('cpu.cpus', 'cpuset', 'cpuset.cpus', cpu.cpus || undefined);
    add('cpu.mems', 'cpuset', 'cpuset.mems', cpu.mems || undefined);
    if (cpu.realtimeRuntime || cpu.realtimePeriod) {
      throw new InvalidArgument('cpu.realtimeRuntime and realtimePeriod have no counterpart in cgroup v2');
    }
  }
  if (resources.pids?.limit !== undefined && resources.pids.limit !== 0) {
    add('pids.limit', 'pids', 'pids.max', resources.pids.limit > 0 ? resources.pids.limit : 'max');
  }
  if (blockIO !== undefined) addIo(blockIO, add);
  for (const { pageSize, limit } of resources.hugepageLimits ?? []) {
    add('hugepageLimits', 'hugetlb', `hugetlb.${pageSize}.max`, limit);
    add('hugepageLimits', 'hugetlb', `hugetlb.${pageSize}.rsvd.max`, limit, true);
  }
  addRdma(resources, add);
  for (const [file, value] of Object.entries(resources.unified ?? {})) {
    // Names as `memory.high`; a slash would leave the cgroup.
    if (!/^[a-z0-9_]+\.[A-Za-z0-9_.]+$/.test(file))
      throw new InvalidArgument(`unified resource "${file}" must be a file name`);
    add(`unified.${file}`, file.slice(0, file.indexOf('.')), file, value);
  }
  return values;
}

function addIo(blockIO: BlockIO, add: Add): void {
  if (blockIO.weight) add('blockIO.weight', 'io', 'io.weight', `default ${ioWeight(blockIO.weight)}`);
  for (const { major, minor, weight } of blockIO.weightDevice ?? []) {
    if (weight) add('blockIO.weightDevice', 'io', 'io.weight', `${major}:${minor} ${ioWeight(weight)}`);
  }
  const throttles: readonly (readonly [string, readonly ThrottleDevice[] | undefined])[] = [
    ['rbps', blockIO.throttleReadBpsDevice],
    ['wbps', blockIO.throttleWriteBpsDevice],
    ['riops', blockIO.throttleReadIOPSDevice],
    ['wiops', blockIO.throttleWriteIOPSDevice],
  ];
  for (const [key, devices] of throttles) {
    for (const { major, minor, rate } of devices ?? []) {
      add('blockIO.throttle', 'io', 'io.max', `${major}:${minor} ${key}=${rate === 0 ? 'max' : rate}`);
    }
  }
}
