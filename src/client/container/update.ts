import type { ContainerUpdateResponse } from '../../api/index.ts';
import { type Command, StatusError } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { segment } from '../http/engine.ts';
import { readRestartPolicy } from './create-request.ts';

export const update: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  description: 'Update configuration of one or more containers',
  names: ['container update', 'update'],
  flags: [
    flag.uint('blkio-weight', '', 'Block IO (relative weight), between 10 and 1000, or 0 to disable', {
      shownDefault: '0',
    }),
    flag.int('cpu-period', '', 'Limit CPU CFS (Completely Fair Scheduler) period'),
    flag.int('cpu-quota', '', 'Limit CPU CFS (Completely Fair Scheduler) quota'),
    flag.int('cpu-rt-period', '', 'Limit the CPU real-time period in microseconds'),
    flag.int('cpu-rt-runtime', '', 'Limit the CPU real-time runtime in microseconds'),
    flag.int('cpu-shares', 'c', 'CPU shares (relative weight)'),
    flag.decimal('cpus', '', 'Number of CPUs'),
    flag.string('cpuset-cpus', '', 'CPUs in which to allow execution (0-3, 0,1)'),
    flag.string('cpuset-mems', '', 'MEMs in which to allow execution (0-3, 0,1)'),
    flag.bytes('memory', 'm', 'Memory limit'),
    flag.bytes('memory-reservation', '', 'Memory soft limit'),
    flag.bytes('memory-swap', '', 'Swap limit equal to memory plus swap: -1 to enable unlimited swap'),
    flag.int('pids-limit', '', 'Tune container pids limit (set -1 for unlimited)'),
    flag.string('restart', '', 'Restart policy to apply when a container exits'),
  ],
  arity: { kind: 'atLeast', count: 1 },
  completes: 'containers',
  run: async ({ cli, args, flags }) => {
    if (!update.flags.some(spec => flags.changed(spec.name)))
      throw new Error('you must provide one or more flags when using this command');
    const request = {
      BlkioWeight: flags.number('blkio-weight'),
      CpuShares: flags.number('cpu-shares'),
      NanoCpus: flags.number('cpus'),
      CpusetCpus: flags.string('cpuset-cpus'),
      CpusetMems: flags.string('cpuset-mems'),
      Memory: flags.number('memory'),
      MemoryReservation: flags.number('memory-reservation'),
      MemorySwap: flags.number('memory-swap'),
      CpuPeriod: flags.number('cpu-period'),
      CpuQuota: flags.number('cpu-quota'),
      CpuRealtimePeriod: flags.number('cpu-rt-period'),
      CpuRealtimeRuntime: flags.number('cpu-rt-runtime'),
      ...(flags.changed('pids-limit') && { PidsLimit: flags.number('pids-limit') }),
      RestartPolicy:
        flags.string('restart') === ''
          ? { Name: '', MaximumRetryCount: 0 }
          : readRestartPolicy(flags.string('restart')),
    };
    const errors: string[] = [];
    const warnings: string[] = [];
    for (const name of args) {
      try {
        const answer = await cli.engine.json<ContainerUpdateResponse>('POST', `/containers/${segment(name)}/update`, {
          json: request,
        });
        cli.print(name);
        warnings.push(...(answer.Warnings ?? []));
      } catch (err) {
        errors.push((err as Error).message);
      }
    }
    for (const warning of warnings) cli.error(warning);
    if (errors.length > 0) throw new StatusError(errors.join('\n'), 1);
    return 0;
  },
};
