import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AlreadyExists } from '../../../errdefs/index.ts';
import type { Mount, RuntimeSpec } from '../../../oci/index.ts';
import type { Command } from '../context.ts';
import { Flags } from '../flags.ts';

export const spec: Command = {
  name: 'spec',
  usage: 'spec [command options]',
  summary: 'create a new specification file',
  run(words) {
    const flags = new Flags(words, { bundle: 'string', b: { alias: 'bundle' }, rootless: 'boolean' });
    const path = join(flags.string('bundle') ?? '.', 'config.json');
    if (existsSync(path)) throw new AlreadyExists('File config.json exists. Remove it first');
    writeFileSync(path, `${JSON.stringify(flags.has('rootless') ? rootless(starterSpec) : starterSpec, null, '\t')}\n`);
    return 0;
  },
};

const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];

/** A bundle to start from: a shell in ./rootfs, read-only, with a terminal. */
export const starterSpec: RuntimeSpec = {
  ociVersion: '1.3.0',
  process: {
    terminal: true,
    user: { uid: 0, gid: 0 },
    args: ['sh'],
    env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
    cwd: '/',
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
    noNewPrivileges: true,
  },
  root: { path: 'rootfs', readonly: true },
  hostname: 'runc',
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
    },
  ],
  linux: {
    resources: { devices: [{ allow: false, access: 'rwm' }] },
    namespaces: [
      { type: 'pid' },
      { type: 'network' },
      { type: 'ipc' },
      { type: 'uts' },
      { type: 'mount' },
      { type: 'cgroup' },
    ],
    maskedPaths: [
      '/proc/acpi',
      '/proc/asound',
      '/proc/kcore',
      '/proc/keys',
      '/proc/latency_stats',
      '/proc/timer_list',
      '/proc/timer_stats',
      '/proc/sched_debug',
      '/sys/firmware',
      '/proc/scsi',
    ],
    readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
  },
};

/** The same for an unprivileged user: a user namespace with only itself in it, no network namespace, no cgroup limits. */
export function rootless(full: RuntimeSpec): RuntimeSpec {
  const mapping = (id: number) => [{ containerID: 0, hostID: id, size: 1 }];
  const mounts = (full.mounts ?? []).map((mount): Mount => {
    // sysfs belongs to a network namespace, and this one is the host's: its sysfs can only be bound.
    if (mount.destination === '/sys') {
      return {
        destination: '/sys',
        type: 'none',
        source: '/sys',
        options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'],
      };
    }
    // Group 5 is not mapped.
    if (mount.destination === '/dev/pts')
      return { ...mount, options: (mount.options ?? []).filter(option => option !== 'gid=5') };
    return mount;
  });
  const { resources: _, ...linux } = full.linux ?? {};
  return {
    ...full,
    mounts: mounts.filter(({ destination }) => destination !== '/sys/fs/cgroup'),
    linux: {
      ...linux,
      uidMappings: mapping(process.geteuid?.() ?? 0),
      gidMappings: mapping(process.getegid?.() ?? 0),
      namespaces: [...(linux.namespaces ?? []).filter(({ type }) => type !== 'network'), { type: 'user' }],
    },
  };
}
