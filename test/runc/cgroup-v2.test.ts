// Cgroup v2 with every controller, and a kernel (6.1) that has neither lowerdir+ nor copies of unattached mounts: in a virtual machine, which
// runs programs that were compiled out here.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { encodeProgram, nativeFile } from '../../src/launcher/index.ts';
import type { RuntimeSpec } from '../../src/oci/index.ts';
import { type HostFacts, planCreate } from '../../src/runc/index.ts';
import { busyboxArchive } from '../harness/busybox.ts';
import { boot, type GuestFile, type Machine, machine } from './machine.ts';

/** What holds in the virtual machine. */
const guest: HostFacts = {
  cgroups: { mode: 'unified', hierarchies: [], unified: { mountpoint: '/sys/fs/cgroup', own: '/' } },
  cgroupFiles: {
    read: path => (path === '/sys/fs/cgroup/cgroup.controllers' ? 'cpuset cpu io memory hugetlb pids' : undefined),
  },
  kernel: [6, 1],
  privileged: true,
  isKernelDirectory: path => path === '/sys/firmware',
};

const capabilities = ['CAP_MKNOD', 'CAP_CHOWN', 'CAP_KILL'];

function spec(script: string, resources: NonNullable<RuntimeSpec['linux']>['resources'] = {}): RuntimeSpec {
  return {
    ociVersion: '1.3.0',
    process: {
      user: { uid: 0, gid: 0 },
      args: ['/bin/busybox', 'sh', '-c', script],
      env: ['PATH=/bin'],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    },
    root: { path: 'rootfs' },
    hostname: 'guest',
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
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666'],
      },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro', 'nosuid', 'noexec', 'nodev'] },
    ],
    linux: {
      cgroupsPath: '/docker/box',
      namespaces: [
        { type: 'mount' },
        { type: 'network' },
        { type: 'uts' },
        { type: 'pid' },
        { type: 'ipc' },
        { type: 'cgroup' },
      ],
      maskedPaths: ['/proc/kcore', '/proc/keys', '/sys/firmware', '/proc/acpi'],
      readonlyPaths: ['/proc/sys', '/proc/irq'],
      resources,
    },
  };
}

const show = (...files: string[]) => files.map(file => `echo ${file}=$(cat /sys/fs/cgroup/${file} 2>&1)`).join('; ');

const containers: Readonly<Record<string, RuntimeSpec>> = {
  limits: spec(
    show(
      'memory.max',
      'memory.swap.max',
      'memory.low',
      'cpu.max',
      'cpu.weight',
      'cpuset.cpus',
      'pids.max',
      'memory.high',
      'hugetlb.2MB.max',
      'cgroup.procs',
    ),
    {
      memory: { limit: 64 << 20, swap: 96 << 20, reservation: 16 << 20 },
      cpu: { quota: 50000, period: 100000, shares: 512, cpus: '0' },
      pids: { limit: 33 },
      hugepageLimits: [{ pageSize: '2MB', limit: 4 << 20 }],
      unified: { 'memory.high': String(48 << 20) },
    },
  ),
  pids: spec('for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; echo forked; wait', { pids: { limit: 4 } }),
  memory: spec('busybox dd if=/dev/zero of=/dev/null bs=48M count=1; echo $?', {
    memory: { limit: 16 << 20, swap: 16 << 20 },
  }),
  devices: spec(
    'mknod /dev/kmsg c 1 11; head -c 1 /dev/kmsg; mknod /dev/mem c 1 1; head -c 1 /dev/mem >/dev/null; head -c 1 /dev/zero | wc -c; mknod /dev/null2 c 1 3; echo x >/dev/null2 && echo null',
    {
      devices: [{ allow: false, access: 'rwm' }],
    },
  ),
  view: spec(
    'cat /proc/self/cgroup; grep -E " / |cgroup| /proc/kcore | /sys/firmware " /proc/mounts; ls -A /sys/firmware | wc -l; wc -c </proc/keys; echo x >/etc/new; cat /etc/new; hostname',
  ),
};

const rootfs = [
  {
    destination: '/',
    type: 'overlay',
    source: 'overlay',
    options: ['lowerdir=/s/1/fs', 'upperdir=/s/2/fs', 'workdir=/s/2/work'],
  },
];

function files(found: Machine, names: readonly string[]): readonly GuestFile[] {
  const directories = [
    'bin',
    'proc',
    'sys',
    'dev',
    'new',
    's',
    's/1',
    's/1/fs',
    's/1/fs/bin',
    's/1/fs/etc',
    's/2',
    's/2/fs',
    's/2/work',
    'bundle',
    'programs',
    'tmp',
  ];
  const busybox = readFileSync('/bin/busybox');
  const script = (text: string) => ({ mode: 0o100755, content: `#!/bin/busybox sh\n${text}` });
  return [
    ...directories.map(path => ({ path, mode: 0o040755 })),
    { path: 'bin/busybox', mode: 0o100755, content: busybox },
    { path: 's/1/fs/bin/busybox', mode: 0o100755, content: busybox },
    { path: 'berth-shim', mode: 0o100755, content: readFileSync(nativeFile('berth-shim')) },
    { path: 'overlay.ko', mode: 0o100644, content: found.overlay },
    ...names.map(name => {
      const { program } = planCreate({
        id: name,
        spec: containers[name]!,
        bundle: '/bundle',
        rootfs,
        stdio: 'inherit',
        startGate: 'none',
        facts: guest,
      });
      return { path: `programs/${name}`, mode: 0o100644, content: Buffer.from(encodeProgram(program)) };
    }),
    // pivot_root cannot leave an initramfs, so all of it moves into a tmpfs first.
    {
      path: 'init',
      ...script(
        '/bin/busybox mount -t tmpfs tmpfs /new; /bin/busybox cp -a /bin /proc /sys /dev /s /bundle /programs /tmp /berth-shim /overlay.ko /main /new/; exec /bin/busybox switch_root /new /main\n',
      ),
    },
    {
      path: 'main',
      ...script(`
/bin/busybox --install -s /bin; export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev; mount -t cgroup2 cgroup2 /sys/fs/cgroup
insmod /overlay.ko
for a in sh cat ls head wc sleep grep mknod echo hostname dd; do ln -s busybox /s/1/fs/bin/$a; done
for name in ${names.join(' ')}; do
  echo "== $name"
  /berth-shim run 3 wait 3</programs/$name 4>/tmp/report; code=$?
  echo "== $name after"
  echo code=$code
  tail -c +1 /tmp/report | grep -a -o '[a-z ]*' | head -n 1
  cat /sys/fs/cgroup/docker/box/memory.events | grep oom_kill
  cat /sys/fs/cgroup/docker/box/cgroup.events | grep populated
  rmdir /sys/fs/cgroup/docker/box
  rm -rf /s/2/fs/*
done
echo "== end"
poweroff -f
`),
    },
  ];
}

const found = machine();
const cannot =
  found === undefined
    ? 'needs qemu-system-x86 and linux-image-cloud-amd64 from a Debian mirror, and an x86-64 machine'
    : (await busyboxArchive()) === undefined && 'needs a static busybox';

describe('containers in cgroup v2, with every controller, on Linux 6.1', { skip: cannot }, () => {
  it('have their limits, devices, roots and masks', { timeout: 110_000 }, async () => {
    const text = await boot(found!, files(found!, Object.keys(containers)), 100_000);
    const sections = Object.fromEntries(
      text
        .split(/^== /m)
        .slice(1)
        .map(section => [section.slice(0, section.indexOf('\n')), section.slice(section.indexOf('\n') + 1)]),
    );
    assert.ok('end' in sections, text);
    const limits = sections.limits!;
    assert.match(limits, /^memory.max=67108864$/m);
    assert.match(limits, /^memory.swap.max=33554432$/m);
    assert.match(limits, /^memory.low=16777216$/m);
    assert.match(limits, /^memory.high=50331648$/m);
    assert.match(limits, /^cpu.max=50000 100000$/m);
    assert.match(limits, /^cpu.weight=59$/m);
    assert.match(limits, /^cpuset.cpus=0$/m);
    assert.match(limits, /^pids.max=33$/m);
    assert.match(limits, /^hugetlb.2MB.max=4194304$/m);
    assert.match(limits, /^cgroup.procs=1( \d+)*$/m);
    assert.match(sections['limits after']!, /^code=0[\s\S]*^populated 0$/m);
    assert.match(sections.pids!, /can't fork: Resource temporarily unavailable/);
    assert.match(sections['memory after']!, /^oom_kill [1-9]/m);
    assert.match(sections.devices!, /kmsg: Operation not permitted/);
    assert.match(sections.devices!, /mem: Operation not permitted/);
    assert.match(sections.devices!, /^1$[\s\S]*^null$/m);
    const view = sections.view!;
    assert.match(view, /^0::\/$/m);
    assert.match(view, /^overlay \/ overlay .*lowerdir=1\/fs,upperdir=2\/fs,workdir=2\/work/m);
    assert.match(view, /^cgroup \/sys\/fs\/cgroup cgroup2 ro,nosuid,nodev,noexec/m);
    assert.match(view, /^0\n0\nx\nguest$/m);
    assert.ok(text.includes('== view after\ncode=0'), text);
  });
});
