// The numbers of `stats`, from the daemon's counters.

import { type ContainerStats, zeroTime } from '../../api/index.ts';
import type { RowType } from '../format/formatter.ts';
import { binarySize, humanSize } from '../format/units.ts';

export interface Sample {
  readonly container: string;
  readonly id: string;
  readonly name: string;
  readonly cpuPercent: number;
  readonly memory: number;
  readonly memoryLimit: number;
  readonly memoryPercent: number;
  readonly networkReceived: number;
  readonly networkSent: number;
  readonly blockRead: number;
  readonly blockWritten: number;
  readonly pids: number;
  /** False for a container that does not run. */
  readonly valid: boolean;
}

export const emptySample = (container: string): Sample => ({
  container,
  id: '',
  name: '',
  cpuPercent: 0,
  memory: 0,
  memoryLimit: 0,
  memoryPercent: 0,
  networkReceived: 0,
  networkSent: 0,
  blockRead: 0,
  blockWritten: 0,
  pids: 0,
  valid: false,
});

/** In a stream the record of a container that does not run is no sample. */
export function sampleOf(stats: ContainerStats, container: string, inStream: boolean): Sample {
  const memory = usedMemory(stats);
  const limit = stats.memory_stats.limit ?? 0;
  let read = 0;
  let written = 0;
  for (const entry of stats.blkio_stats?.io_service_bytes_recursive ?? []) {
    const op = entry.op.toLowerCase();
    if (op.startsWith('r')) read += entry.value;
    else if (op.startsWith('w')) written += entry.value;
  }
  const interfaces = Object.values(stats.networks ?? {});
  return {
    container,
    id: stats.id,
    name: stats.name.replace(/^\//, ''),
    cpuPercent: cpuPercent(stats),
    memory,
    memoryLimit: limit,
    memoryPercent: limit === 0 ? 0 : (memory / limit) * 100,
    networkReceived: interfaces.reduce((sum, one) => sum + one.rx_bytes, 0),
    networkSent: interfaces.reduce((sum, one) => sum + one.tx_bytes, 0),
    blockRead: read,
    blockWritten: written,
    pids: stats.pids_stats?.current ?? 0,
    valid: !inStream || stats.read !== zeroTime,
  };
}

function cpuPercent(stats: ContainerStats): number {
  const used = stats.cpu_stats.cpu_usage.total_usage - stats.precpu_stats.cpu_usage.total_usage;
  const system = (stats.cpu_stats.system_cpu_usage ?? 0) - (stats.precpu_stats.system_cpu_usage ?? 0);
  const processors = stats.cpu_stats.online_cpus || stats.cpu_stats.cpu_usage.percpu_usage?.length || 0;
  return used > 0 && system > 0 ? (used / system) * processors * 100 : 0;
}

/** Without the page cache that the kernel would give back: cgroup v1 and v2 name it differently. */
function usedMemory(stats: ContainerStats): number {
  const { usage = 0, stats: details = {} } = stats.memory_stats;
  const inactive = details.total_inactive_file ?? details.inactive_file ?? 0;
  return inactive < usage ? usage - inactive : usage;
}

const percent = (value: number): string => `${value.toFixed(2)}%`;

export const statsRow = (noTrunc: boolean): RowType<Sample> => ({
  typeName: '*container.statsContext',
  headers: {
    Container: 'CONTAINER',
    ID: 'CONTAINER ID',
    Name: 'NAME',
    CPUPerc: 'CPU %',
    MemUsage: 'MEM USAGE / LIMIT',
    MemPerc: 'MEM %',
    NetIO: 'NET I/O',
    BlockIO: 'BLOCK I/O',
    PIDs: 'PIDS',
  },
  row: sample => ({
    Container: sample.container,
    ID: noTrunc ? sample.id : sample.id.slice(0, 12),
    Name: sample.name === '' ? '--' : sample.name,
    CPUPerc: sample.valid ? percent(sample.cpuPercent) : '--',
    MemUsage: sample.valid ? `${binarySize(sample.memory)} / ${binarySize(sample.memoryLimit)}` : '-- / --',
    MemPerc: sample.valid ? percent(sample.memoryPercent) : '--',
    NetIO: sample.valid ? `${humanSize(sample.networkReceived, 3)} / ${humanSize(sample.networkSent, 3)}` : '--',
    BlockIO: sample.valid ? `${humanSize(sample.blockRead, 3)} / ${humanSize(sample.blockWritten, 3)}` : '--',
    PIDs: sample.valid ? String(sample.pids) : '--',
  }),
});
