// GET /containers/{id}/stats: one record per second, as `docker stats` reads it (moby daemon/stats.go, stats_unix.go).

import { readFileSync } from 'node:fs';
import type { ContainerStats, CpuStats, InterfaceStats, MemoryStats } from '../../api/index.ts';
import type { CgroupStats } from '../../runc/index.ts';
import { formatNs, nowNs } from '../clock.ts';
import type { Call } from '../server/call.ts';
import { writeAll } from '../server/stream.ts';
import type { Container } from './container.ts';
import type { ContainerServices } from './services.ts';

const intervalMs = 1000;
const noTime = '0001-01-01T00:00:00Z';

const noCpu: CpuStats = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

interface Sample {
  readonly read: string;
  readonly cpu: CpuStats;
  readonly stats: CgroupStats;
}

export async function streamStats(services: ContainerServices, container: Container, call: Call): Promise<void> {
  const stream = call.query.bool('stream', true);
  const oneShot = !stream && !call.below('1.41') && call.query.bool('one-shot');
  const { signal } = call;
  let before = oneShot ? undefined : await sample(services, container);
  if (!stream && !oneShot && before !== undefined) await sleep(intervalMs, signal);
  const first = stream ? before : await sample(services, container);
  const json = (now: Sample | undefined, previous: Sample | undefined): string =>
    `${exactly(JSON.stringify(now === undefined ? stopped(container) : record(services, container, now, previous)))}\n`;
  if (!stream) {
    if (!signal.aborted) call.send(200, 'application/json', json(first, before));
    return;
  }
  const out = call.stream('application/json');
  await writeAll(out, json(before, undefined), signal);
  while (!signal.aborted) {
    await sleep(intervalMs, signal);
    if (signal.aborted || services.store.byId(container.id) === undefined) break;
    const now = await sample(services, container);
    await writeAll(out, json(now, before), signal);
    before = now;
  }
  out.end();
}

/** 2^64 - 1, which stands for "no limit", is no JavaScript number; Go refuses the nearest one as too large. */
const exactly = (json: string): string => json.replaceAll(String(noLimit), '18446744073709551615');
const noLimit = 2 ** 64;

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

async function sample(services: ContainerServices, container: Container): Promise<Sample | undefined> {
  if (!container.state.running || container.state.restarting) return undefined;
  let stats: CgroupStats;
  try {
    stats = await services.tasks.metrics(container.id);
  } catch {
    return undefined; // it ends just now
  }
  const { cpu } = stats;
  return {
    read: formatNs(nowNs()),
    stats,
    cpu: {
      cpu_usage: {
        total_usage: cpu.usageNs,
        ...(cpu.perCpuNs !== undefined && { percpu_usage: cpu.perCpuNs }),
        usage_in_kernelmode: cpu.systemNs,
        usage_in_usermode: cpu.userNs,
      },
      ...systemCpu(),
      throttling_data: {
        periods: cpu.throttling.periods,
        throttled_periods: cpu.throttling.throttledPeriods,
        throttled_time: cpu.throttling.throttledNs,
      },
    },
  };
}

const nsPerTick = 1e9 / 100;

/** CPU time of the whole machine, from the first line of /proc/stat, and its processors. */
function systemCpu(): { system_cpu_usage: number; online_cpus: number } {
  const text = readFileSync('/proc/stat', 'utf8');
  const ticks = text
    .slice(0, text.indexOf('\n'))
    .trim()
    .split(/\s+/)
    .slice(1, 8)
    .reduce((sum, value) => sum + Number(value), 0);
  return { system_cpu_usage: ticks * nsPerTick, online_cpus: text.match(/^cpu\d/gm)?.length ?? 1 };
}

const emptyIo = {
  io_service_bytes_recursive: null,
  io_serviced_recursive: null,
  io_queue_recursive: null,
  io_service_time_recursive: null,
  io_wait_time_recursive: null,
  io_merged_recursive: null,
  io_time_recursive: null,
  sectors_recursive: null,
};

const noEntries = Object.fromEntries(
  Object.keys(emptyIo).map(key => [key, []]),
) as unknown as ContainerStats['blkio_stats'];

/** What Docker says of a container that does not run. */
const stopped = (container: Container): ContainerStats => ({
  name: `/${container.record.name}`,
  id: container.id,
  read: noTime,
  preread: noTime,
  num_procs: 0,
  pids_stats: {},
  cpu_stats: noCpu,
  precpu_stats: noCpu,
  memory_stats: {},
  blkio_stats: emptyIo,
  storage_stats: {},
});

function record(
  services: ContainerServices,
  container: Container,
  now: Sample,
  before: Sample | undefined,
): ContainerStats {
  const { stats } = now;
  const networks = interfaces(container);
  return {
    name: `/${container.record.name}`,
    id: container.id,
    read: now.read,
    preread: before?.read ?? noTime,
    num_procs: 0,
    pids_stats: {
      current: stats.pids.current,
      // Version 2 says "max", which Docker shows as the largest number; version 1 leaves it out.
      ...(stats.pids.limit !== undefined ? { limit: stats.pids.limit } : stats.version === 2 && { limit: noLimit }),
    },
    cpu_stats: now.cpu,
    precpu_stats: before?.cpu ?? noCpu,
    memory_stats: memoryStats(services, stats),
    blkio_stats: { ...(stats.version === 1 ? noEntries : emptyIo), ...ioStats(stats) },
    storage_stats: {},
    ...(networks !== undefined && { networks }),
  };
}

function memoryStats(services: ContainerServices, stats: CgroupStats): MemoryStats {
  const { memory } = stats;
  return {
    usage: memory.usage,
    ...(memory.maxUsage !== undefined && { max_usage: memory.maxUsage }),
    stats: stats.version === 1 ? firstVersionStat(memory.stat) : memory.stat,
    ...(memory.failures !== undefined && memory.failures !== 0 && { failcnt: memory.failures }),
    // Without a limit of its own, the machine's memory is the limit.
    limit: Math.min(memory.limit ?? services.memoryBytes, services.memoryBytes),
  };
}

/** Of memory.stat in version 1 those numbers that Docker knows (containerd cgroups, cgroup1/stats). */
function firstVersionStat(stat: Readonly<Record<string, number>>): Record<string, number> {
  const unknown = /^(total_)?(shmem|swap|swapcached|workingset_.*)$/;
  return Object.fromEntries(Object.entries(stat).filter(([key]) => !unknown.test(key)));
}

function ioStats({ io, version }: CgroupStats): Partial<ContainerStats['blkio_stats']> {
  const [read, write] = version === 2 ? ['read', 'write'] : ['Read', 'Write'];
  const entries = (get: (entry: (typeof io)[number]) => readonly [number, number]) =>
    io.flatMap(entry => {
      const [reads, writes] = get(entry);
      const { major, minor } = entry;
      return [
        { major, minor, op: read!, value: reads },
        { major, minor, op: write!, value: writes },
      ];
    });
  return {
    io_service_bytes_recursive: entries(entry => [entry.readBytes, entry.writeBytes]),
    ...(version === 1 && { io_serviced_recursive: entries(entry => [entry.readOperations, entry.writeOperations]) }),
  };
}

/** /proc/PID/net/dev, which is the container's own. */
function interfaces(container: Container): Record<string, InterfaceStats> | undefined {
  if (container.record.hostConfig.NetworkMode === 'host' || container.state.pid === 0) return undefined;
  let text: string;
  try {
    text = readFileSync(`/proc/${container.state.pid}/net/dev`, 'utf8');
  } catch {
    return undefined;
  }
  const found: Record<string, InterfaceStats> = {};
  for (const line of text.split('\n').slice(2)) {
    const at = line.indexOf(':');
    const name = line.slice(0, at).trim();
    if (at < 0 || name === 'lo') continue;
    const values = line
      .slice(at + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    const [
      rx_bytes = 0,
      rx_packets = 0,
      rx_errors = 0,
      rx_dropped = 0,
      ,
      ,
      ,
      ,
      tx_bytes = 0,
      tx_packets = 0,
      tx_errors = 0,
      tx_dropped = 0,
    ] = values;
    found[name] = { rx_bytes, rx_packets, rx_errors, rx_dropped, tx_bytes, tx_packets, tx_errors, tx_dropped };
  }
  return Object.keys(found).length > 0 ? found : undefined;
}
