import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { containerConfigShape, type HostConfig, hostConfigShape } from '../../../api/index.ts';
import type { RuntimeSpec } from '../../../oci/index.ts';
import { configFrom } from '../../config/config.ts';
import { completeHostConfig } from '../host-config.ts';
import type { ContainerMount } from '../record.ts';
import { allCapabilities } from './capabilities.ts';
import { defaultDeviceRules } from './devices.ts';
import { runtimeSpec, type SpecInputs } from './spec.ts';

const id = 'dfa8519b3752ac70d085bc19b8a4843324daade89d88642ace481a6978dfe76a';
const directory = `/var/lib/docker/containers/${id}`;

function host(fields: Partial<HostConfig> = {}): HostConfig {
  return completeHostConfig(
    { ...hostConfigShape.zero(), ...fields },
    configFrom(new Map()),
    { cgroupVersion: 1 },
    () => false,
  );
}

function inputs(more: Partial<SpecInputs> = {}): SpecInputs {
  return {
    id,
    config: { ...containerConfigShape.zero(), Hostname: 'dfa8519b3752', Cmd: ['sleep', '3600'] },
    host: host(),
    mounts: [],
    user: { uid: 0, gid: 0, additionalGids: [0], home: '/root' },
    hostname: 'dfa8519b3752',
    files: {
      resolvConf: `${directory}/resolv.conf`,
      hostname: `${directory}/hostname`,
      hosts: `${directory}/hosts`,
    },
    joins: {},
    rootPath: 'rootfs',
    cgroupParent: '/docker',
    hostCapabilities: allCapabilities,
    noNewPrivileges: false,
    seccomp: () => undefined,
    ...more,
  };
}

const plain = (spec: RuntimeSpec): RuntimeSpec => JSON.parse(JSON.stringify(spec)) as RuntimeSpec;

test("the default container is Docker's, field by field", () => {
  const docker = JSON.parse(readFileSync(path.join(import.meta.dirname, 'testdata/docker-default.json'), 'utf8')) as {
    root: { path: string };
    process: { env: string[] };
    linux: { resources: { devices: object[] } };
  };
  docker.root.path = 'rootfs';
  // runc sets HOME from the container's passwd; here the engine has looked there already.
  docker.process.env.push('HOME=/root');
  // Docker 28 writes its list of device rules twice, which says the same.
  docker.linux.resources.devices = [...defaultDeviceRules];
  assert.deepEqual(plain(runtimeSpec(inputs())), docker);
});

test('a privileged container sees everything', () => {
  const spec = runtimeSpec(inputs({ host: host({ Privileged: true }) }));
  assert.equal(spec.linux?.maskedPaths, undefined);
  assert.equal(spec.linux?.readonlyPaths, undefined);
  assert.deepEqual(spec.process?.capabilities?.bounding, allCapabilities);
  assert.deepEqual(spec.linux?.resources?.devices?.at(-1), { allow: true, access: 'rwm' });
  assert.ok(!spec.mounts?.find(mount => mount.destination === '/sys')?.options?.includes('ro'));
  assert.ok(spec.linux?.devices?.some(device => device.path === '/dev/null'));
});

test("namespaces of the host and of others leave out what is one's own", () => {
  const mode = { NetworkMode: 'host', PidMode: 'host', IpcMode: 'host', UTSMode: 'host', CgroupnsMode: 'private' };
  const spec = runtimeSpec(inputs({ host: host(mode), shm: '/dev/shm' }));
  assert.deepEqual(spec.linux?.namespaces, [{ type: 'mount' }, { type: 'cgroup' }]);
  assert.equal(spec.hostname, undefined);
  assert.equal(spec.linux?.sysctl, undefined);
  assert.deepEqual(
    spec.mounts?.find(mount => mount.destination === '/dev/shm'),
    {
      destination: '/dev/shm',
      type: 'bind',
      source: '/dev/shm',
      options: ['rbind', 'rprivate'],
    },
  );
  const joined = runtimeSpec(inputs({ joins: { network: '/proc/7/ns/net' } }));
  assert.deepEqual(joined.linux?.namespaces?.[1], { type: 'network', path: '/proc/7/ns/net' });
});

test('mounts: shallow ones first, a later word takes back an earlier one, a mount on /dev drops what is below it', () => {
  const bind = (Destination: string, RW = true): ContainerMount => ({
    Type: 'bind',
    Source: '/src',
    Destination,
    Mode: '',
    RW,
    Propagation: 'rprivate',
  });
  const spec = runtimeSpec(
    inputs({
      host: host({ Tmpfs: { '/t': 'size=1m,exec' }, ReadonlyRootfs: true }),
      mounts: [bind('/a/b/c'), bind('/a', false), bind('/dev')],
    }),
  );
  const mounts = spec.mounts ?? [];
  const at = (destination: string): number => mounts.findIndex(mount => mount.destination === destination);
  assert.ok(at('/a') < at('/a/b/c'));
  assert.equal(at('/dev/pts'), -1);
  assert.equal(at('/dev/shm'), -1);
  assert.deepEqual(mounts[at('/a')]?.options, ['rbind', 'rro', 'rprivate']);
  assert.deepEqual(mounts[at('/t')]?.options, ['nosuid', 'nodev', 'rprivate', 'size=1m', 'exec']);
  assert.deepEqual(mounts[at('/etc/hosts')]?.options, ['rbind', 'rro', 'rprivate']);
  assert.deepEqual(spec.root, { path: 'rootfs', readonly: true });
});

test('limits, ulimits, init and a terminal', () => {
  const spec = runtimeSpec(
    inputs({
      host: host({
        Memory: 64 << 20,
        NanoCpus: 1.5e9,
        PidsLimit: 50,
        Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
      }),
      config: { ...containerConfigShape.zero(), Cmd: ['sh'], Tty: true, WorkingDir: '/x', Domainname: 'dd' },
      init: '/usr/bin/docker-init',
    }),
  );
  assert.deepEqual(spec.linux?.resources?.memory, { limit: 64 << 20, swap: 128 << 20, disableOOMKiller: false });
  assert.deepEqual(spec.linux?.resources?.cpu, { quota: 150_000, period: 100_000 });
  assert.deepEqual(spec.linux?.resources?.pids, { limit: 50 });
  assert.deepEqual(spec.process?.rlimits, [{ type: 'RLIMIT_NOFILE', hard: 200, soft: 100 }]);
  assert.deepEqual(spec.process?.args, ['/sbin/docker-init', '--', 'sh']);
  assert.equal(spec.process?.terminal, true);
  assert.equal(spec.process?.cwd, '/x');
  assert.ok(spec.process?.env?.includes('TERM=xterm'));
  assert.equal(spec.linux?.sysctl?.['kernel.domainname'], 'dd');
});
