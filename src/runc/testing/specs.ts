import type { Linux, Mount, Process, RuntimeSpec } from '../../oci/index.ts';

const capabilities = ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE', 'CAP_SETGID', 'CAP_SETUID'];

/** A container as Docker describes its default one, small enough to read. */
export function baseSpec(changes: {
  process?: Partial<Process>;
  linux?: Partial<Linux>;
  mounts?: readonly Mount[];
  spec?: Partial<RuntimeSpec>;
}): RuntimeSpec {
  return {
    ociVersion: '1.3.0',
    process: {
      user: { uid: 0, gid: 0, additionalGids: [0, 10] },
      args: ['sh', '-c', 'true'],
      env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'HOME=/root'],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      ...changes.process,
    },
    root: { path: 'rootfs' },
    hostname: 'box',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
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
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      ...(changes.mounts ?? []),
    ],
    linux: {
      cgroupsPath: '/docker/box',
      namespaces: [{ type: 'mount' }, { type: 'network' }, { type: 'uts' }, { type: 'pid' }, { type: 'ipc' }],
      maskedPaths: ['/proc/kcore', '/proc/keys', '/sys/firmware'],
      readonlyPaths: ['/proc/sys', '/proc/irq', '/proc/sysrq-trigger'],
      ...changes.linux,
    },
    ...changes.spec,
  };
}
