// The programs of some twenty specs, as a reader sees them. UPDATE_GOLDENS=1 rewrites testdata/; the diff is reviewed like code.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { decodeProgram, disassemble, encodeProgram, type Program } from '../launcher/index.ts';
import type { HostFacts } from './compilation.ts';
import { type CreateOptions, compileCreate } from './create.ts';
import { compileExec } from './exec.ts';
import { explainOp } from './explain.ts';
import { netDeviceOps } from './net-devices.ts';
import { hybridFacts, rootlessFacts, unifiedFacts } from './testing/facts.ts';
import { baseSpec } from './testing/specs.ts';

type Changes = Parameters<typeof baseSpec>[0];

const create = (changes: Changes, options: Partial<CreateOptions> = {}, facts: HostFacts = unifiedFacts): Program =>
  compileCreate({
    id: 'box',
    spec: baseSpec(changes),
    bundle: '/run/bundle',
    stdio: { terminal: false, stdin: true, pipeSizeBytes: 1 << 20 },
    startGate: 'ready',
    facts,
    ...options,
  });

const cgroupMount = {
  destination: '/sys/fs/cgroup',
  type: 'cgroup',
  source: 'cgroup',
  options: ['ro', 'nosuid', 'noexec', 'nodev'],
};
const namespaces = baseSpec({}).linux!.namespaces!;
const more = [{ containerID: 1, hostID: 100000, size: 65536 }];
const one = { containerID: 0, hostID: 1000, size: 1 };
const ids = [{ containerID: 0, hostID: 100000, size: 65536 }];
const overlay = [
  {
    destination: '/',
    type: 'overlay',
    source: 'overlay',
    options: ['lowerdir=/s/2/fs:/s/1/fs', 'upperdir=/s/3/fs', 'workdir=/s/3/work'],
  },
];

const programs: Readonly<Record<string, () => Program>> = {
  default: () => create({}),
  'default-cgroup-v1': () => create({ mounts: [cgroupMount] }, {}, hybridFacts),
  'cgroup-namespace-v2': () =>
    create({ mounts: [cgroupMount], linux: { namespaces: [...namespaces, { type: 'cgroup' }] } }),
  'overlay-root': () => create({}, { rootfs: overlay }),
  'overlay-root-old-kernel': () => create({}, { rootfs: overlay }, hybridFacts),
  binds: () =>
    create({
      mounts: [
        { destination: '/etc/hosts', type: 'bind', source: '/run/hosts', options: ['rbind', 'rprivate'] },
        { destination: '/data', type: 'bind', source: 'data', options: ['bind', 'ro', 'nosuid', 'rslave'] },
        { destination: '/deep', type: 'bind', source: '/deep', options: ['rbind', 'rro', 'rnoexec'] },
      ],
    }),
  tmpfs: () =>
    create({
      mounts: [{ destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['noexec', 'size=1m', 'tmpcopyup'] }],
    }),
  terminal: () =>
    create(
      { process: { terminal: true, consoleSize: { height: 24, width: 80 } } },
      { stdio: { terminal: true, stdin: true, pipeSizeBytes: 0 } },
    ),
  'fifo-gate': () =>
    create(
      { process: { terminal: true } },
      {
        stdio: 'inherit',
        startGate: 'fifo',
        fifo: '/run/box/exec.fifo',
        consoleSocket: '/run/console.sock',
        pidfdSocket: '/run/pidfd.sock',
      },
    ),
  'user-and-groups': () =>
    create({
      process: {
        user: { uid: 1000, gid: 1000, additionalGids: [5, 20], umask: 0o77 },
        noNewPrivileges: true,
        cwd: '/work/here',
      },
    }),
  seccomp: () =>
    create({
      linux: {
        seccomp: {
          defaultAction: 'SCMP_ACT_ERRNO',
          architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'],
          syscalls: [{ names: ['execve', 'exit_group', 'write'], action: 'SCMP_ACT_ALLOW' }],
        },
      },
    }),
  'seccomp-notify': () =>
    create({
      process: { noNewPrivileges: true },
      linux: {
        seccomp: {
          defaultAction: 'SCMP_ACT_ALLOW',
          listenerPath: '/run/agent.sock',
          listenerMetadata: 'x',
          syscalls: [{ names: ['mount'], action: 'SCMP_ACT_NOTIFY' }],
        },
      },
    }),
  'user-namespace': () =>
    create(
      { linux: { namespaces: [...namespaces, { type: 'user' }], uidMappings: ids, gidMappings: ids } },
      { rootfs: overlay },
    ),
  'rootless-with-ranges': () =>
    create(
      {
        linux: {
          namespaces: [...namespaces, { type: 'user' }],
          uidMappings: [one, ...more],
          gidMappings: [one, ...more],
        },
      },
      {},
      rootlessFacts,
    ),
  'rootless-alone': () =>
    create(
      {
        linux: { namespaces: [...namespaces, { type: 'user' }], uidMappings: [one], gidMappings: [one] },
        process: { user: { uid: 0, gid: 0 } },
      },
      {},
      rootlessFacts,
    ),
  'rootless-exec': () =>
    compileExec({
      spec: baseSpec({
        linux: { namespaces: [...namespaces, { type: 'user' }], uidMappings: [one], gidMappings: [one] },
      }),
      process: { ...baseSpec({}).process!, terminal: true, user: { uid: 0, gid: 0 } },
      initPid: 4321,
      cgroups: { v1: {} },
      stdio: { terminal: true, stdin: true, pipeSizeBytes: 0 },
      facts: rootlessFacts,
    }),
  'idmapped-mount': () =>
    create({
      mounts: [
        {
          destination: '/data',
          type: 'bind',
          source: '/data',
          options: ['rbind', 'ridmap'],
          uidMappings: ids,
          gidMappings: ids,
        },
      ],
    }),
  hooks: () =>
    create({
      spec: {
        hooks: {
          prestart: [{ path: '/bin/prestart' }],
          createRuntime: [{ path: '/bin/runtime', args: ['runtime', 'x'], env: ['A=1'], timeout: 2 }],
          createContainer: [{ path: '/bin/container' }],
          startContainer: [{ path: '/bin/start' }],
          poststart: [{ path: '/bin/poststart' }],
        },
      },
    }),
  network: () =>
    create(
      { linux: { sysctl: { 'net.ipv4.ping_group_range': '0 2147483647' } } },
      {
        netns: {
          host: [{ bytes: new Uint8Array(16), pidOffsets: [12], comment: 'veth with its peer in the container' }],
          inside: [{ bytes: new Uint8Array(16), comment: 'lo up' }],
        },
      },
    ),
  'net-devices': () => {
    const linux = { netDevices: { eth7: { name: 'eth0' }, dummy: {} } };
    const find = (name: string) => ({
      index: name.length,
      addresses: [{ index: name.length, address: '10.1.2.3', prefixLength: 24 }],
    });
    return create({ linux }, { netDevices: netDeviceOps(baseSpec({ linux }), find) });
  },
  'join-namespaces': () =>
    create({
      linux: {
        namespaces: [
          { type: 'mount' },
          { type: 'uts' },
          { type: 'ipc', path: '/proc/7/ns/ipc' },
          { type: 'network', path: '/proc/7/ns/net' },
          { type: 'pid', path: '/proc/7/ns/pid' },
        ],
      },
    }),
  'join-user-namespace': () =>
    create({
      process: { user: { uid: 0, gid: 0 } },
      linux: {
        namespaces: [
          { type: 'mount' },
          { type: 'pid' },
          { type: 'user', path: '/proc/7/ns/user' },
          { type: 'network', path: '/proc/7/ns/net' },
        ],
      },
      spec: { hostname: '' },
    }),
  'time-offsets': () =>
    create({
      linux: {
        namespaces: [...namespaces, { type: 'time' }],
        timeOffsets: { monotonic: { secs: 5 }, boottime: { secs: -7, nanosecs: 1 } },
      },
    }),
  'devices-and-resources': () =>
    create({
      linux: {
        devices: [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o660, uid: 1, gid: 2 }],
        resources: {
          devices: [
            { allow: false, access: 'rwm' },
            { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' },
          ],
          memory: { limit: 64 << 20, swap: 128 << 20, reservation: 32 << 20 },
          cpu: { shares: 512, quota: 50000, period: 100000, cpus: '0-1' },
          pids: { limit: 100 },
          blockIO: { weight: 500, throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1048576 }] },
          unified: { 'memory.high': '60000000' },
        },
      },
    }),
  'devices-and-resources-v1': () =>
    create(
      {
        linux: {
          resources: {
            devices: [{ allow: true, access: 'rwm' }],
            memory: { limit: 64 << 20, swap: 128 << 20, swappiness: 0, disableOOMKiller: true },
            cpu: { shares: 512, quota: 50000, cpus: '0' },
            pids: { limit: -1 },
          },
        },
      },
      {},
      hybridFacts,
    ),
  'read-only-root': () => create({ spec: { root: { path: '/srv/root', readonly: true } } }),
  'everything-of-process': () =>
    create({
      process: {
        rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 2048 }],
        oomScoreAdj: 500,
        scheduler: { policy: 'SCHED_BATCH', nice: 5 },
        ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 4 },
        apparmorProfile: 'docker-default',
      },
      linux: {
        personality: { domain: 'LINUX32' },
        memoryPolicy: { mode: 'MPOL_BIND', nodes: '0-1' },
        rootfsPropagation: 'shared',
      },
      spec: { domainname: 'example.org' },
    }),
  exec: () =>
    compileExec({
      spec: baseSpec({}),
      process: {
        ...baseSpec({}).process!,
        user: { uid: 1000, gid: 1000 },
        cwd: '/tmp',
        execCPUAffinity: { initial: '0', final: '0-1' },
      },
      initPid: 4321,
      cgroups: { v1: {}, v2: '/sys/fs/cgroup/docker/box' },
      stdio: { terminal: false, stdin: false, pipeSizeBytes: 65536 },
      facts: unifiedFacts,
    }),
  'exec-terminal-v1': () =>
    compileExec({
      spec: baseSpec({}),
      process: { ...baseSpec({}).process!, terminal: true },
      initPid: 4321,
      cgroups: { v1: { pids: '/sys/fs/cgroup/pids/docker/box', memory: '/sys/fs/cgroup/memory/docker/box' } },
      stdio: { terminal: true, stdin: true, pipeSizeBytes: 0 },
      facts: hybridFacts,
    }),
};

describe('the program of a spec', () => {
  for (const [name, compile] of Object.entries(programs)) {
    it(name, () => {
      const program = compile();
      assert.deepEqual(
        disassemble(decodeProgram(encodeProgram(program))).split('\n').length,
        disassemble(program).split('\n').length,
      );
      const text = disassemble(program, { explain: explainOp });
      const file = join(import.meta.dirname, 'testdata', `${name}.txt`);
      if (process.env.UPDATE_GOLDENS) {
        mkdirSync(join(import.meta.dirname, 'testdata'), { recursive: true });
        writeFileSync(file, text);
      }
      assert.equal(text, readFileSync(file, 'utf8'));
    });
  }

  it('gives a reason for every op that is no mere handling of processes and descriptors', () => {
    const plumbing: ReadonlySet<string> = new Set(['close', 'notify', 'await', 'stdio', 'exit']);
    const silent = (program: Program): string[] =>
      program.flatMap(op => [
        ...(op.why || plumbing.has(op.op) ? [] : [op.op]),
        ...(op.op === 'clone' ? silent(op.program) : []),
      ]);
    for (const [name, compile] of Object.entries(programs)) assert.deepEqual(silent(compile()), [], name);
  });
});
