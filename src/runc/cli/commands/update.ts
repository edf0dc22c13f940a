import { readFileSync } from 'node:fs';
import { InvalidArgument, NotImplemented } from '../../../errdefs/index.ts';
import type { Resources } from '../../../oci/index.ts';
import { openCgroup } from '../../cgroups/cgroup.ts';
import type { Command } from '../context.ts';
import { Flags, type FlagTable } from '../flags.ts';
import { containerId } from '../start-program.ts';

const table: FlagTable = {
  resources: 'string',
  r: { alias: 'resources' },
  'blkio-weight': 'number',
  'cpu-period': 'number',
  'cpu-quota': 'number',
  'cpu-burst': 'number',
  'cpu-share': 'number',
  'cpu-rt-period': 'number',
  'cpu-rt-runtime': 'number',
  'cpuset-cpus': 'string',
  'cpuset-mems': 'string',
  memory: 'string',
  'memory-reservation': 'string',
  'memory-swap': 'string',
  'cpu-idle': 'number',
  'pids-limit': 'number',
  'l3-cache-schema': 'string',
  'mem-bw-schema': 'string',
};

export const update: Command = {
  name: 'update',
  usage: 'update [command options] <container-id>',
  summary: 'update container resource constraints',
  run(words, { store }) {
    const flags = new Flags(words, table);
    const container = store.read(containerId(flags, 'update'));
    const resources = resourcesOf(flags);
    openCgroup(container.state.cgroups).update(resources);
    const linux = container.spec.linux ?? {};
    const before = linux.resources ?? {};
    store.write(container.state, {
      ...container.spec,
      linux: {
        ...linux,
        resources: {
          ...before,
          ...resources,
          cpu: { ...before.cpu, ...resources.cpu },
          memory: { ...before.memory, ...resources.memory },
        },
      },
    });
    return 0;
  },
};

function resourcesOf(flags: Flags): Resources {
  const file = flags.string('resources');
  if (file !== undefined) {
    try {
      return JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8')) as Resources;
    } catch (cause) {
      throw new InvalidArgument(`invalid resources: ${(cause as Error).message}`, { cause });
    }
  }
  if (flags.string('l3-cache-schema') || flags.string('mem-bw-schema'))
    throw new NotImplemented('Intel RDT is not supported');
  const bytes = (name: string) => (flags.string(name) === undefined ? undefined : parseBytes(flags.string(name)!));
  const given = <T extends object>(value: T): T | undefined => {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined);
    return entries.length > 0 ? (Object.fromEntries(entries) as T) : undefined;
  };
  const memory = given({
    limit: bytes('memory'),
    reservation: bytes('memory-reservation'),
    swap: bytes('memory-swap'),
  });
  const cpu = given({
    shares: flags.number('cpu-share'),
    quota: flags.number('cpu-quota'),
    burst: flags.number('cpu-burst'),
    period: flags.number('cpu-period'),
    realtimeRuntime: flags.number('cpu-rt-runtime'),
    realtimePeriod: flags.number('cpu-rt-period'),
    cpus: flags.string('cpuset-cpus'),
    mems: flags.string('cpuset-mems'),
    idle: flags.number('cpu-idle'),
  });
  const weight = flags.number('blkio-weight');
  const pids = flags.number('pids-limit');
  return {
    ...(memory && { memory: memory as NonNullable<Resources['memory']> }),
    ...(cpu && { cpu: cpu as NonNullable<Resources['cpu']> }),
    ...(weight !== undefined && { blockIO: { weight } }),
    ...(pids !== undefined && { pids: { limit: pids } }),
  };
}

/** `64m` → bytes; -1 stays. */
function parseBytes(text: string): number {
  const match = /^(-?\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text);
  if (match === null) throw new InvalidArgument(`invalid size: '${text}'`);
  return Math.trunc(Number(match[1]) * 1024 ** ' kmgt'.indexOf(match[2]!.toLowerCase() || ' '));
}
