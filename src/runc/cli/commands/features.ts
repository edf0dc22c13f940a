import { capabilityNames } from '../../process/capabilities.ts';
import { knownMountOptions } from '../../rootfs/mount-options.ts';
import { knownSeccompFlags } from '../../seccomp/index.ts';
import type { Command } from '../context.ts';

export const features: Command = {
  name: 'features',
  usage: 'features',
  summary: 'show the enabled features',
  run(_, { stdout }) {
    stdout(`${JSON.stringify(document, null, 2)}\n`);
    return 0;
  },
};

/** runtime-spec features.md and features-linux.md. */
const document = {
  ociVersionMin: '1.0.0',
  ociVersionMax: '1.3.0',
  hooks: ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'],
  mountOptions: knownMountOptions,
  linux: {
    namespaces: ['cgroup', 'ipc', 'mount', 'network', 'pid', 'time', 'user', 'uts'],
    capabilities: [...capabilityNames],
    cgroup: { v1: true, v2: true, systemd: false, systemdUser: false, rdma: true },
    seccomp: {
      enabled: true,
      actions: [
        'SCMP_ACT_ALLOW',
        'SCMP_ACT_ERRNO',
        'SCMP_ACT_KILL',
        'SCMP_ACT_KILL_PROCESS',
        'SCMP_ACT_KILL_THREAD',
        'SCMP_ACT_LOG',
        'SCMP_ACT_NOTIFY',
        'SCMP_ACT_TRACE',
        'SCMP_ACT_TRAP',
      ],
      operators: [
        'SCMP_CMP_EQ',
        'SCMP_CMP_GE',
        'SCMP_CMP_GT',
        'SCMP_CMP_LE',
        'SCMP_CMP_LT',
        'SCMP_CMP_MASKED_EQ',
        'SCMP_CMP_NE',
      ],
      archs: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM', 'SCMP_ARCH_X32', 'SCMP_ARCH_X86', 'SCMP_ARCH_X86_64'],
      knownFlags: knownSeccompFlags,
      supportedFlags: knownSeccompFlags,
    },
    apparmor: { enabled: true },
    selinux: { enabled: false },
    intelRdt: { enabled: false },
    memoryPolicy: {
      modes: [
        'MPOL_BIND',
        'MPOL_DEFAULT',
        'MPOL_INTERLEAVE',
        'MPOL_LOCAL',
        'MPOL_PREFERRED',
        'MPOL_PREFERRED_MANY',
        'MPOL_WEIGHTED_INTERLEAVE',
      ],
      flags: ['MPOL_F_NUMA_BALANCING', 'MPOL_F_RELATIVE_NODES', 'MPOL_F_STATIC_NODES'],
    },
    mountExtensions: { idmap: { enabled: true } },
    netDevices: { enabled: true },
  },
  annotations: {},
  potentiallyUnsafeConfigAnnotations: [],
};
