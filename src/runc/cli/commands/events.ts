import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { FailedPrecondition, InvalidArgument } from '../../../errdefs/index.ts';
import { openCgroup } from '../../cgroups/cgroup.ts';
import type { CgroupStats } from '../../cgroups/stats.ts';
import type { Command } from '../context.ts';
import { Flags } from '../flags.ts';
import { containerId } from '../start-program.ts';
import { containerStatus } from '../state-store.ts';

export const events: Command = {
  name: 'events',
  usage: 'events [command options] <container-id>',
  summary: 'display container events such as OOM notifications, cpu, memory, and IO usage statistics',
  async run(words, { store, stdout }) {
    const flags = new Flags(words, { interval: 'string', stats: 'boolean' });
    const id = containerId(flags, 'events');
    const container = store.read(id);
    if (containerStatus(container) === 'stopped')
      throw new FailedPrecondition(`container with id ${id} is not running`);
    const cgroup = openCgroup(container.state.cgroups);
    const tell = (type: string, data: unknown) =>
      stdout(`${JSON.stringify({ type, id, ...(data !== undefined && { data }) })}\n`);
    if (flags.has('stats')) {
      tell('stats', runcStats(cgroup.stats()));
      return 0;
    }
    const intervalMs = parseDuration(flags.string('interval') ?? '5s');
    let kills = cgroup.stats().memory.oomKills;
    while (existsSync(container.directory) && containerStatus(container) !== 'stopped') {
      const stats = cgroup.stats();
      if (stats.memory.oomKills > kills) tell('oom', undefined);
      kills = stats.memory.oomKills;
      tell('stats', runcStats(stats));
      await delay(intervalMs);
    }
    return 0;
  },
};

/** Go's `5s`, `1m30s`, `100ms`. */
function parseDuration(text: string): number {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const total = parts.reduce((sum, [, value, unit]) => sum + Number(value) * units[unit!]!, 0);
  if (parts.map(([all]) => all).join('') !== text || total <= 0)
    throw new InvalidArgument(`duration interval must be greater than 0: "${text}"`);
  return total;
}

/** The shape of runc's types.Stats. */
function runcStats({ cpu, memory, pids, io }: CgroupStats) {
  const blkio = (pick: (entry: CgroupStats['io'][number]) => readonly [number, number]) =>
    io.flatMap(entry => {
      const [read, write] = pick(entry);
      return [
        { major: entry.major, minor: entry.minor, op: 'Read', value: read },
        { major: entry.major, minor: entry.minor, op: 'Write', value: write },
      ];
    });
  return {
    cpu: {
      usage: {
        total: cpu.usageNs,
        ...(cpu.perCpuNs && { percpu: cpu.perCpuNs }),
        kernel: cpu.systemNs,
        user: cpu.userNs,
      },
      throttling: {
        periods: cpu.throttling.periods,
        throttledPeriods: cpu.throttling.throttledPeriods,
        throttledTime: cpu.throttling.throttledNs,
      },
    },
    cpuset: {},
    memory: {
      cache: memory.stat.cache ?? memory.stat.file ?? 0,
      usage: {
        limit: memory.limit ?? 0,
        usage: memory.usage,
        max: memory.maxUsage ?? 0,
        failcnt: memory.failures ?? 0,
      },
      swap: { limit: memory.swapLimit ?? 0, usage: memory.swapUsage ?? 0, failcnt: 0 },
      raw: memory.stat,
    },
    pids: { current: pids.current, ...(pids.limit !== undefined && { limit: pids.limit }) },
    blkio: {
      ioServiceBytesRecursive: blkio(entry => [entry.readBytes, entry.writeBytes]),
      ioServicedRecursive: blkio(entry => [entry.readOperations, entry.writeOperations]),
    },
    hugetlb: {},
    intel_rdt: {},
    network_interfaces: null,
  };
}
