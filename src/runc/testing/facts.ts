import type { CgroupFiles } from '../cgroups/plan.ts';
import type { HostFacts } from '../compilation.ts';

/** Files by path; what is not in it does not exist. */
export const cgroupFiles = (files: Readonly<Record<string, string>>): CgroupFiles => ({ read: path => files[path] });

/** A machine with cgroup v2 alone, as most have. */
export const unifiedFacts: HostFacts = {
  cgroups: {
    mode: 'unified',
    hierarchies: [],
    unified: { mountpoint: '/sys/fs/cgroup', own: '/system.slice/berthd.service' },
  },
  cgroupFiles: cgroupFiles({
    '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids',
    '/sys/fs/cgroup/cgroup.subtree_control': 'cpuset cpu io memory pids',
    '/sys/fs/cgroup/docker/cgroup.subtree_control': 'cpuset cpu io memory pids',
  }),
  kernel: [6, 12],
  privileged: true,
  isKernelDirectory: path => path === '/sys/firmware',
};

/** The same machine for an unprivileged user with ranges of ids. */
export const rootlessFacts: HostFacts = {
  ...unifiedFacts,
  privileged: false,
  cgroupsDelegated: false,
  idMapHelpers: { uid: '/usr/bin/newuidmap', gid: '/usr/bin/newgidmap' },
};

const controllers = ['cpu,cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids', 'name=systemd'];

/** A machine with split v1 hierarchies and an empty cgroup2 beside them. */
export const hybridFacts: HostFacts = {
  cgroups: {
    mode: 'hybrid',
    hierarchies: controllers.map(list => ({
      controllers: list.split(','),
      mountpoint: `/sys/fs/cgroup/${list.replace('name=', '')}`,
      own: '/',
    })),
    unified: { mountpoint: '/sys/fs/cgroup/unified', own: '/' },
  },
  cgroupFiles: cgroupFiles({
    '/sys/fs/cgroup/cpuset/cgroup.clone_children': '0',
    '/sys/fs/cgroup/cpuset/cpuset.cpus': '0-3',
    '/sys/fs/cgroup/cpuset/cpuset.mems': '0',
    '/sys/fs/cgroup/cpuset/docker/cgroup.clone_children': '1',
  }),
  kernel: [5, 15],
  privileged: true,
  isKernelDirectory: path => path === '/sys/firmware',
};
