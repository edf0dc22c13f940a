import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { Op } from '../../launcher/index.ts';
import type { DeviceRule, Mount } from '../../oci/index.ts';
import { type HostFacts, hostFacts } from '../compilation.ts';
import { Slots } from '../slots.ts';
import { cannotRun, TestContainers } from '../testing/containers.ts';
import { cgroupFiles, hybridFacts, unifiedFacts } from '../testing/facts.ts';
import { baseSpec } from '../testing/specs.ts';
import { openCgroup } from './cgroup.ts';
import { devicePolicy, deviceProgram, v1DeviceWrites } from './devices.ts';
import { cgroupHost, parseCgroupHost } from './host.ts';
import { cgroupPaths } from './paths.ts';
import { planCgroups } from './plan.ts';
import { readStats } from './stats.ts';
import { type CgroupValue, cpuWeight, ioWeight, v1Values, v2Values } from './values.ts';

const table = (values: readonly CgroupValue[]) => Object.fromEntries(values.map(({ file, value }) => [file, value]));

describe('the layout of cgroups', () => {
  const unified = '30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n';
  const memory = '33 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n';
  const cpu = '34 30 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n';
  const systemd = '35 30 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n';
  const own = '3:cpu,cpuacct:/a\n2:memory:/b\n1:name=systemd:/c\n0::/d\n';

  it('is read from mountinfo and cgroup', () => {
    assert.equal(parseCgroupHost(unified, '0::/x\n').mode, 'unified');
    assert.deepEqual(parseCgroupHost(memory + cpu + systemd, own), {
      mode: 'legacy',
      hierarchies: [
        { controllers: ['memory'], mountpoint: '/sys/fs/cgroup/memory', own: '/b' },
        { controllers: ['cpu', 'cpuacct'], mountpoint: '/sys/fs/cgroup/cpu,cpuacct', own: '/a' },
        { controllers: ['name=systemd'], mountpoint: '/sys/fs/cgroup/systemd', own: '/c' },
      ],
    });
    const hybrid = parseCgroupHost(`${memory}36 30 0:32 / /sys/fs/cgroup/uni\\040fied rw - cgroup2 cgroup2 rw\n`, own);
    assert.equal(hybrid.mode, 'hybrid');
    assert.deepEqual(hybrid.unified, { mountpoint: '/sys/fs/cgroup/uni fied', own: '/d' });
    assert.throws(() => parseCgroupHost('', ''), /no cgroup mount found/);
  });

  it('gives a container its directories, which never leave the mount', () => {
    const paths = (path: string | undefined) => cgroupPaths(unifiedFacts.cgroups, path, 'id').v2;
    assert.equal(paths('/docker/x'), '/sys/fs/cgroup/docker/x');
    assert.equal(paths('../../../x'), '/sys/fs/cgroup/system.slice/berthd.service/x');
    assert.equal(paths('/../../etc'), '/sys/fs/cgroup/etc');
    assert.equal(paths(undefined), '/sys/fs/cgroup/system.slice/berthd.service/id');
    assert.throws(() => paths('/'), /root of the hierarchy/);
    assert.throws(() => paths('system.slice:docker:x'), /systemd cgroup driver is not supported/);
    const v1 = cgroupPaths(hybridFacts.cgroups, '/docker/x', 'id');
    assert.equal(v1.v1.cpu, v1.v1.cpuacct);
    assert.equal(v1.v1['name=systemd'], '/sys/fs/cgroup/systemd/docker/x');
    assert.equal(v1.v2, '/sys/fs/cgroup/unified/docker/x');
  });
});

describe('resources', () => {
  const resources = {
    memory: { limit: 1000, swap: 3000, reservation: 500, swappiness: 10, disableOOMKiller: true },
    cpu: { shares: 1024, quota: 20000, period: 50000, burst: 100, cpus: '0-1', mems: '0', idle: 0 },
    pids: { limit: 5 },
    blockIO: {
      weight: 1000,
      weightDevice: [{ major: 8, minor: 0, weight: 10 }],
      throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1 }],
      throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 2 }],
    },
    hugepageLimits: [{ pageSize: '2MB', limit: 4096 }],
    rdma: { mlx: { hcaHandles: 3, hcaObjects: 4 } },
    unified: { 'memory.high': '900' },
  };

  it('become the files of v2', () => {
    assert.deepEqual(table(v2Values(resources)), {
      'memory.max': '1000',
      'memory.swap.max': '2000',
      'memory.low': '500',
      'cpu.weight': '100',
      'cpu.max': '20000 50000',
      'cpu.max.burst': '100',
      'cpuset.cpus': '0-1',
      'cpuset.mems': '0',
      'pids.max': '5',
      'io.weight': '8:0 1',
      'io.max': '8:16 wiops=2',
      'hugetlb.2MB.max': '4096',
      'hugetlb.2MB.rsvd.max': '4096',
      'rdma.max': 'mlx hca_handle=3 hca_object=4',
      'memory.high': '900',
    });
    const all = v2Values(resources).map(({ file, value }) => `${file}=${value}`);
    assert.ok(all.includes('io.weight=default 10000') && all.includes('io.max=8:0 rbps=1'));
  });

  it('become the files of v1', () => {
    const values = table(v1Values(resources));
    assert.equal(values['memory.memsw.limit_in_bytes'], '3000');
    assert.equal(values['memory.soft_limit_in_bytes'], '500');
    assert.equal(values['memory.oom_control'], '1');
    assert.equal(values['cpu.cfs_quota_us'], '20000');
    assert.equal(values['blkio.throttle.write_iops_device'], '8:16 2');
  });

  it('take -1 for no limit and 0 for nothing said', () => {
    assert.deepEqual(table(v2Values({ memory: { limit: -1 }, pids: { limit: -1 }, cpu: { quota: -1, shares: 0 } })), {
      'memory.max': 'max',
      'memory.swap.max': 'max',
      'pids.max': 'max',
      'cpu.max': 'max 100000',
    });
    assert.deepEqual(v1Values({ memory: { limit: 0, swap: 0 }, cpu: { shares: 0, quota: 0 }, pids: { limit: 0 } }), []);
  });

  it('are refused where they make no sense', () => {
    assert.throws(() => v2Values({ memory: { limit: 10, swap: 5 } }), /memory\+swap limit should be >= memory limit/);
    assert.throws(() => v1Values({ memory: { limit: 10, swap: 5 } }), /memory\+swap limit should be >= memory limit/);
    assert.throws(() => v2Values({ memory: { swap: 5 } }), /unable to set swap limit without memory limit/);
    assert.throws(() => v1Values({ memory: { swappiness: 101 } }), /valid range is 0-100/);
    assert.throws(() => v2Values({ unified: { '../cgroup.procs': '1' } }), /must be a file name/);
  });

  it('translate v1 weights to those of v2', () => {
    assert.deepEqual([0, 2, 512, 1024, 2048, 262144].map(cpuWeight), [1, 1, 59, 100, 174, 10000]);
    assert.deepEqual([10, 500, 1000].map(ioWeight), [1, 4950, 10000]);
  });
});

describe('the cgroups of a new container', () => {
  const writes = (ops: readonly Op[]) => ops.flatMap(op => (op.op === 'write' ? [`${op.path}=${op.data}`] : []));

  it('get their controllers from ancestors in v2', () => {
    const files = cgroupFiles({
      '/sys/fs/cgroup/cgroup.controllers': 'cpu memory pids',
      '/sys/fs/cgroup/cgroup.subtree_control': 'cpu',
    });
    const paths = cgroupPaths(unifiedFacts.cgroups, '/docker/x', 'x');
    const { create, join, into } = planCgroups(unifiedFacts.cgroups, paths, {}, new Slots(), files);
    assert.deepEqual(writes(create), [
      '/sys/fs/cgroup/cgroup.subtree_control=+memory',
      '/sys/fs/cgroup/cgroup.subtree_control=+pids',
      '/sys/fs/cgroup/docker/cgroup.subtree_control=+cpu',
      '/sys/fs/cgroup/docker/cgroup.subtree_control=+memory',
      '/sys/fs/cgroup/docker/cgroup.subtree_control=+pids',
    ]);
    assert.deepEqual(join, []);
    assert.notEqual(into, undefined);
  });

  it('fill an empty cpuset of v1 once, in the ancestor, and let the kernel copy it from then on', () => {
    const facts = hybridFacts.cgroups;
    const paths = cgroupPaths(facts, '/new/x', 'x');
    const files = (more: Record<string, string>) =>
      cgroupFiles({
        '/sys/fs/cgroup/cpuset/cgroup.clone_children': '0',
        '/sys/fs/cgroup/cpuset/cpuset.cpus': '0-3',
        '/sys/fs/cgroup/cpuset/cpuset.mems': '0',
        ...more,
      });
    const cpuset = (more: Record<string, string>) =>
      writes(planCgroups(facts, paths, {}, new Slots(), files(more)).create).filter(write => write.includes('/cpuset'));
    assert.deepEqual(cpuset({}), [
      '/sys/fs/cgroup/cpuset/new/cpuset.cpus=0-3',
      '/sys/fs/cgroup/cpuset/new/cpuset.mems=0',
      '/sys/fs/cgroup/cpuset/new/cgroup.clone_children=1',
    ]);
    assert.deepEqual(cpuset({ '/sys/fs/cgroup/cpuset/new/cgroup.clone_children': '1' }), []);
  });
});

describe('stats', () => {
  it('read alike from both versions', () => {
    const files: Record<string, string> = {
      '/c/cpu.stat': 'usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 1\nnr_throttled 1\nthrottled_usec 7\n',
      '/c/memory.current': '100\n',
      '/c/memory.max': 'max\n',
      '/c/memory.swap.max': '50\n',
      '/c/memory.stat': 'anon 60\nfile 40\n',
      '/c/memory.events': 'low 0\noom 2\noom_kill 1\n',
      '/c/pids.current': '3\n',
      '/c/pids.max': '10\n',
      '/c/io.stat': '8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n',
    };
    const stats = readStats({ v1: {}, v2: '/c' }, path => files[path]);
    assert.equal(stats.cpu.usageNs, 5000);
    assert.equal(stats.cpu.throttling.throttledNs, 7000);
    assert.equal(stats.memory.limit, undefined);
    assert.equal(stats.memory.swapLimit, 50);
    assert.equal(stats.memory.oomKills, 1);
    assert.deepEqual(stats.pids, { current: 3, limit: 10 });
    assert.deepEqual(stats.io, [
      { major: 8, minor: 0, readBytes: 1, writeBytes: 2, readOperations: 3, writeOperations: 4 },
    ]);

    const v1: Record<string, string> = {
      '/m/memory.usage_in_bytes': '10\n',
      '/m/memory.memsw.usage_in_bytes': '15\n',
      '/m/memory.limit_in_bytes': '9223372036854771712\n',
      '/m/memory.stat': 'cache 4\n',
      '/a/cpuacct.usage': '99\n',
      '/a/cpuacct.usage_percpu': '50 49\n',
      '/b/blkio.throttle.io_service_bytes_recursive': '8:0 Read 5\n8:0 Write 6\n8:0 Total 11\nTotal 11\n',
    };
    const old = readStats({ v1: { memory: '/m', cpuacct: '/a', blkio: '/b' } }, path => v1[path]);
    assert.equal(old.memory.swapUsage, 5);
    assert.equal(old.memory.limit, undefined);
    assert.deepEqual(old.cpu.perCpuNs, [50, 49]);
    assert.equal(old.io[0]!.writeBytes, 6);
  });
});

describe('device rules', () => {
  it('are worked off in order', () => {
    const rules: DeviceRule[] = [
      { allow: true, type: 'c', major: 9, minor: 9, access: 'rwm' },
      { allow: false, access: 'rwm' },
      { allow: true, type: 'c', major: 10, minor: 200, access: 'rw' },
      { allow: false, type: 'c', major: 10, minor: 200, access: 'w' },
      { allow: true, type: 'b', major: 8, access: 'r' },
    ];
    const writes = v1DeviceWrites(devicePolicy(rules)).map(({ file, value }) => `${file} ${value}`);
    assert.equal(writes[0], 'devices.deny a');
    assert.ok(writes.includes('devices.allow c 10:200 r'));
    assert.ok(writes.includes('devices.allow b 8:* r'));
    assert.ok(writes.includes('devices.allow c 136:* rwm'));
    assert.ok(!writes.some(write => write.includes('9:9')));
    const open = v1DeviceWrites(
      devicePolicy([
        { allow: true, access: 'rwm' },
        { allow: false, type: 'b', access: 'rwm' },
      ]),
    );
    assert.deepEqual(
      open.map(({ file, value }) => `${file} ${value}`),
      ['devices.allow a', 'devices.deny b *:* rw'],
    );
  });

  it('need no program where all is allowed', () => {
    assert.equal(devicePolicy([{ allow: true, access: 'rwm' }]).exceptions.length, 0);
    assert.equal(deviceProgram(devicePolicy([])).length % 8, 0);
  });

  it('are refused when they name what does not exist', () => {
    assert.throws(() => devicePolicy([{ allow: true, type: 'x', access: 'r' }]), /invalid type "x"/);
    assert.throws(() => devicePolicy([{ allow: true, type: 'c', access: 'rx' }]), /invalid access "rx"/);
  });
});

/** The empty cgroup2 of a hybrid machine, taken for all there is: everything of v2 but the controllers is then real. */
function v2Here(): HostFacts | undefined {
  const { unified } = cgroupHost();
  return unified && { ...hostFacts(), cgroups: { mode: 'unified', hierarchies: [], unified } };
}

const facts = cannotRun ? undefined : v2Here();

describe('cgroup v2 on this kernel', { skip: cannotRun || (facts === undefined && 'no cgroup2 is mounted') }, () => {
  const containers = new TestContainers();
  after(() => containers[Symbol.asyncDispose]());
  const run = (script: string, changes: Parameters<typeof baseSpec>[0]) =>
    containers.run(script, changes, { facts: facts! });
  const mknod = { bounding: ['CAP_MKNOD'], effective: ['CAP_MKNOD'], permitted: ['CAP_MKNOD'] };

  it('holds the container from its first instruction on, and shows it its own part alone', async () => {
    const mounts: Mount[] = [
      { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro', 'nosuid', 'noexec', 'nodev'] },
    ];
    const namespaces = [...baseSpec({}).linux!.namespaces!, { type: 'cgroup' as const }];
    const { output } = await run(
      'grep ^0: /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs | head -n 1; echo 1 >/sys/fs/cgroup/cgroup.procs',
      { mounts, linux: { namespaces } },
    );
    assert.match(output, /^0::\/\n1\n/);
    assert.match(output, /Read-only file system/);
  });

  it('lets a container use the devices of its rules and no others', async () => {
    const rules: DeviceRule[] = [
      { allow: false, access: 'rwm' },
      { allow: true, type: 'c', major: 1, minor: 11, access: 'w' },
    ];
    const script =
      'mknod /dev/kmsg c 1 11; mknod /dev/mem c 1 1; echo >/dev/null && echo null; exec 3</dev/kmsg || true; exec 4</dev/mem';
    const denied = await run(script, { process: { capabilities: mknod }, linux: { resources: { devices: rules } } });
    assert.match(denied.output, /^null$/m);
    assert.match(denied.output, /can't open \/dev\/kmsg: Operation not permitted/);
    const writes = await run('mknod /dev/kmsg c 1 11; exec 3>/dev/kmsg && echo opened', {
      process: { capabilities: mknod },
      linux: { resources: { devices: rules } },
    });
    assert.match(writes.output, /^opened$/m);
    const most: DeviceRule[] = [
      { allow: true, access: 'rwm' },
      { allow: false, type: 'c', major: 1, minor: 11, access: 'rwm' },
    ];
    const open = await run('head -c 1 /dev/zero | wc -c; mknod /dev/kmsg c 1 11; exec 3</dev/kmsg', {
      process: { capabilities: mknod },
      linux: { resources: { devices: most } },
    });
    assert.match(open.output, /^1$/m);
    assert.match(open.output, /kmsg: Operation not permitted/);
  });

  it('freezes, thaws and kills all of it', async () => {
    const container = await containers.start(
      { process: { args: ['sh', '-c', 'sleep 100 & sleep 100 & wait'] } },
      { facts: facts! },
    );
    const cgroup = openCgroup(container.cgroups);
    for (let i = 0; i < 200 && cgroup.pids().length < 3; i++) await new Promise(resolve => setTimeout(resolve, 5));
    assert.equal(cgroup.pids().length, 3);
    await cgroup.freeze();
    assert.equal(cgroup.frozen(), true);
    await cgroup.thaw();
    assert.equal(cgroup.frozen(), false);
    const { code } = await container.end();
    assert.equal(code, 137);
    assert.equal(cgroup.exists(), false);
  });
});
