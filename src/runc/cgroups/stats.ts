// What a container used, read from its cgroup files: one shape for both versions. Docker's and containerd's shapes are made from it above.

import { readFileSync } from 'node:fs';
import type { CgroupPaths } from './paths.ts';

export interface CgroupStats {
  readonly version: 1 | 2;
  readonly cpu: {
    readonly usageNs: number;
    readonly userNs: number;
    readonly systemNs: number;
    /** v1 only. */
    readonly perCpuNs?: readonly number[];
    readonly throttling: { readonly periods: number; readonly throttledPeriods: number; readonly throttledNs: number };
  };
  readonly memory: {
    readonly usage: number;
    readonly maxUsage?: number;
    /** Undefined: none. */
    readonly limit?: number;
    readonly swapUsage?: number;
    readonly swapLimit?: number;
    /** How often the limit was hit (v1). */
    readonly failures?: number;
    readonly oomKills: number;
    /** memory.stat as it is. */
    readonly stat: Readonly<Record<string, number>>;
  };
  readonly pids: { readonly current: number; readonly limit?: number };
  readonly io: readonly IoEntry[];
  readonly hugetlb: Readonly<
    Record<string, { readonly usage: number; readonly maxUsage?: number; readonly failures?: number }>
  >;
}

export interface IoEntry {
  readonly major: number;
  readonly minor: number;
  readonly readBytes: number;
  readonly writeBytes: number;
  readonly readOperations: number;
  readonly writeOperations: number;
}

/** Reads a file of a cgroup; undefined where there is none. Given by hand in tests. */
export type ReadFile = (path: string) => string | undefined;

export const readCgroupFile: ReadFile = path => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** `key value` lines. */
export function keyed(text: string | undefined): Record<string, number> {
  const values: Record<string, number> = {};
  for (const line of (text ?? '').split('\n')) {
    const space = line.indexOf(' ');
    if (space > 0) values[line.slice(0, space)] = Number(line.slice(space + 1));
  }
  return values;
}

const number = (text: string | undefined): number | undefined => {
  const value = Number(text?.trim() || Number.NaN);
  return Number.isNaN(value) ? undefined : value;
};

/** The kernel's "no limit" of v1 is the largest page count; nothing has that much. */
const limitOf = (text: string | undefined): number | undefined => {
  const value = number(text);
  return value === undefined || value >= 2 ** 60 ? undefined : value;
};

const USER_HZ = 100;

/** All figures, at this moment. */
export function readStats(paths: CgroupPaths, read: ReadFile = readCgroupFile): CgroupStats {
  return Object.keys(paths.v1).length > 0 ? readV1(paths.v1, read) : readV2(paths.v2 ?? '', read);
}

const withDefined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;

function readV1(directories: CgroupPaths['v1'], read: ReadFile): CgroupStats {
  const file = (controller: string, name: string) =>
    directories[controller] === undefined ? undefined : read(`${directories[controller]}/${name}`);
  const cpuStat = keyed(file('cpu', 'cpu.stat'));
  const ticks = keyed(file('cpuacct', 'cpuacct.stat'));
  const perCpu = file('cpuacct', 'cpuacct.usage_percpu')?.trim();
  const usage = number(file('memory', 'memory.usage_in_bytes')) ?? 0;
  const memorySwap = number(file('memory', 'memory.memsw.usage_in_bytes'));
  return {
    version: 1,
    cpu: withDefined({
      usageNs: number(file('cpuacct', 'cpuacct.usage')) ?? 0,
      userNs: ((ticks.user ?? 0) * 1e9) / USER_HZ,
      systemNs: ((ticks.system ?? 0) * 1e9) / USER_HZ,
      perCpuNs: perCpu ? perCpu.split(/\s+/).map(Number) : undefined,
      throttling: {
        periods: cpuStat.nr_periods ?? 0,
        throttledPeriods: cpuStat.nr_throttled ?? 0,
        throttledNs: cpuStat.throttled_time ?? 0,
      },
    }) as CgroupStats['cpu'],
    memory: withDefined({
      usage,
      maxUsage: number(file('memory', 'memory.max_usage_in_bytes')),
      limit: limitOf(file('memory', 'memory.limit_in_bytes')),
      swapUsage: memorySwap === undefined ? undefined : Math.max(0, memorySwap - usage),
      swapLimit: limitOf(file('memory', 'memory.memsw.limit_in_bytes')),
      failures: number(file('memory', 'memory.failcnt')),
      oomKills: keyed(file('memory', 'memory.oom_control')).oom_kill ?? 0,
      stat: keyed(file('memory', 'memory.stat')),
    }) as CgroupStats['memory'],
    pids: withDefined({
      current: number(file('pids', 'pids.current')) ?? 0,
      limit: limitOf(file('pids', 'pids.max')),
    }) as CgroupStats['pids'],
    io: readBlkio(file),
    hugetlb: {},
  };
}

/** The recursive files of BFQ where that scheduler counts, else those of the throttling layer. */
function readBlkio(file: (controller: string, name: string) => string | undefined): readonly IoEntry[] {
  const pick = (name: string) => {
    const bfq = file('blkio', `blkio.bfq.io_${name}_recursive`);
    return bfq && bfq.trim() !== 'Total 0' ? bfq : file('blkio', `blkio.throttle.io_${name}_recursive`);
  };
  const entries = new Map<string, Record<string, number>>();
  const collect = (text: string | undefined, kind: string) => {
    for (const line of (text ?? '').split('\n')) {
      const match = /^(\d+:\d+) (Read|Write) (\d+)$/.exec(line);
      if (match === null) continue;
      const entry = entries.get(match[1]!) ?? {};
      entry[`${match[2]!.toLowerCase()}${kind}`] = Number(match[3]);
      entries.set(match[1]!, entry);
    }
  };
  collect(pick('service_bytes'), 'Bytes');
  collect(pick('serviced'), 'Operations');
  return [...entries].map(([device, entry]) => ioEntry(device, entry));
}

function ioEntry(device: string, entry: Readonly<Record<string, number>>): IoEntry {
  const [major = 0, minor = 0] = device.split(':').map(Number);
  return {
    major,
    minor,
    readBytes: entry.readBytes ?? 0,
    writeBytes: entry.writeBytes ?? 0,
    readOperations: entry.readOperations ?? 0,
    writeOperations: entry.writeOperations ?? 0,
  };
}

function readV2(directory: string, read: ReadFile): CgroupStats {
  const file = (name: string) => read(`${directory}/${name}`);
  const cpu = keyed(file('cpu.stat'));
  const events = keyed(file('memory.events'));
  const io = (file('io.stat') ?? '').split('\n').flatMap(line => {
    const [device, ...pairs] = line.split(' ');
    if (!device || pairs.length === 0) return [];
    const values = Object.fromEntries(pairs.map(pair => pair.split('=')).map(([key, value]) => [key, Number(value)]));
    return [
      ioEntry(device, {
        readBytes: values.rbytes,
        writeBytes: values.wbytes,
        readOperations: values.rios,
        writeOperations: values.wios,
      }),
    ];
  });
  return {
    version: 2,
    cpu: {
      usageNs: (cpu.usage_usec ?? 0) * 1000,
      userNs: (cpu.user_usec ?? 0) * 1000,
      systemNs: (cpu.system_usec ?? 0) * 1000,
      throttling: {
        periods: cpu.nr_periods ?? 0,
        throttledPeriods: cpu.nr_throttled ?? 0,
        throttledNs: (cpu.throttled_usec ?? 0) * 1000,
      },
    },
    memory: withDefined({
      usage: number(file('memory.current')) ?? 0,
      maxUsage: number(file('memory.peak')),
      limit: limitOf(file('memory.max')),
      swapUsage: number(file('memory.swap.current')),
      swapLimit: limitOf(file('memory.swap.max')),
      oomKills: events.oom_kill ?? 0,
      stat: keyed(file('memory.stat')),
    }) as CgroupStats['memory'],
    pids: withDefined({
      current: number(file('pids.current')) ?? 0,
      limit: limitOf(file('pids.max')),
    }) as CgroupStats['pids'],
    io,
    hugetlb: {},
  };
}
