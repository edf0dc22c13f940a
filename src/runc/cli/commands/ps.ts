import { readFileSync } from 'node:fs';
import { FailedPrecondition, InvalidArgument, NotImplemented } from '../../../errdefs/index.ts';
import { openCgroup } from '../../cgroups/cgroup.ts';
import type { Command } from '../context.ts';
import { Flags } from '../flags.ts';
import { containerId } from '../start-program.ts';
import { containerStatus } from '../state-store.ts';

export const ps: Command = {
  name: 'ps',
  usage: 'ps [command options] <container-id>',
  summary: 'ps displays the processes running inside a container',
  run(words, { store, stdout }) {
    const flags = new Flags(words, { format: 'string', f: { alias: 'format' } });
    const container = store.read(containerId(flags, 'ps'));
    if (containerStatus(container) === 'stopped') throw new FailedPrecondition('container is not running');
    if (flags.rest.length > 1 && flags.rest.slice(1).join(' ') !== '-ef') {
      throw new NotImplemented('ps options are not supported: no ps program of the host is run');
    }
    const pids = openCgroup(container.state.cgroups).pids();
    const format = flags.string('format') ?? 'table';
    if (format === 'json') stdout(`${JSON.stringify(pids)}\n`);
    else if (format === 'table') stdout(table(pids));
    else throw new InvalidArgument('invalid format option');
    return 0;
  },
};

function table(pids: readonly number[]): string {
  const rows = pids.flatMap(pid => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '?';
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return [[field('Uid'), String(pid), field('PPid'), command || `[${field('Name')}]`]];
    } catch {
      return [];
    }
  });
  return [['UID', 'PID', 'PPID', 'CMD'], ...rows]
    .map(
      ([uid = '', pid = '', ppid = '', command = '']) =>
        `${uid.padEnd(8)} ${pid.padStart(7)} ${ppid.padStart(7)} ${command}\n`,
    )
    .join('');
}
