// Whatever a spec says, the answer is a program that the launcher takes or an error with a kind: never a crash.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EngineError } from '../errdefs/index.ts';
import { decodeProgram, encodeProgram } from '../launcher/index.ts';
import { parseRuntimeSpec } from '../oci/index.ts';
import { planCreate } from './create.ts';
import { hybridFacts, rootlessFacts, unifiedFacts } from './testing/facts.ts';
import { baseSpec } from './testing/specs.ts';

/** A small generator of its own, so that a failure can be repeated. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const words = [
  '',
  '/',
  '..',
  '/proc',
  '/proc/self/fd/3',
  '/dev',
  '/sys/fs/cgroup',
  'bind',
  'rbind',
  'ro',
  'idmap',
  'tmpfs',
  'cgroup',
  'proc',
  'a\0b',
  'x'.repeat(5000),
  'CAP_SYS_ADMIN',
  'RLIMIT_NOFILE',
  'user',
  'pid',
  'rshared',
  'SCMP_ACT_NOTIFY',
  '0-99999999',
  '\u{1f600}',
  '__proto__',
  'constructor',
  'a:b:c',
  '%s',
  '-1',
];
const values: readonly unknown[] = [
  ...words,
  0,
  -1,
  1,
  65535,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  1e308,
  0.5,
  true,
  false,
  null,
  [],
  {},
  [[]],
  [{}],
  ['x'],
  { path: '/x' },
];

const full = baseSpec({
  mounts: [
    { destination: '/data', type: 'bind', source: '/data', options: ['rbind', 'ro', 'rslave'] },
    { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['size=1m'] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro'] },
  ],
  process: {
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 2 }],
    scheduler: { policy: 'SCHED_OTHER' },
    ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 1 },
  },
  linux: {
    uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
    gidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
    namespaces: [
      { type: 'mount' },
      { type: 'pid' },
      { type: 'network' },
      { type: 'uts' },
      { type: 'ipc' },
      { type: 'user' },
      { type: 'time' },
    ],
    timeOffsets: { boottime: { secs: 1 } },
    devices: [{ path: '/dev/x', type: 'c', major: 1, minor: 2, fileMode: 0o666, uid: 0, gid: 0 }],
    sysctl: { 'net.ipv4.ip_forward': '1' },
    resources: {
      devices: [{ allow: true, type: 'c', major: 1, minor: 2, access: 'rwm' }],
      memory: { limit: 1e8, swap: 2e8 },
      cpu: { shares: 2, quota: 1000, period: 1000, cpus: '0' },
      pids: { limit: 5 },
      blockIO: { weight: 100, throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1 }] },
      hugepageLimits: [{ pageSize: '2MB', limit: 1 }],
      unified: { 'memory.high': '1' },
    },
    seccomp: {
      defaultAction: 'SCMP_ACT_ERRNO',
      architectures: ['SCMP_ARCH_X86_64'],
      syscalls: [
        {
          names: ['read', 'clone'],
          action: 'SCMP_ACT_ALLOW',
          args: [{ index: 0, value: 1, valueTwo: 2, op: 'SCMP_CMP_MASKED_EQ' }],
        },
      ],
    },
    personality: { domain: 'LINUX' },
  },
  spec: {
    hooks: { prestart: [{ path: '/bin/x', args: ['x'], timeout: 1 }], poststart: [{ path: '/bin/y' }] },
    annotations: { a: 'b' },
  },
});

/** Puts some value somewhere, takes something away, or doubles an element. */
function mutate(node: unknown, pick: (below: number) => number): unknown {
  if (typeof node !== 'object' || node === null || pick(12) === 0) return values[pick(values.length)];
  if (Array.isArray(node)) {
    if (node.length === 0 || pick(6) === 0) return [...node, values[pick(values.length)]];
    const index = pick(node.length);
    if (pick(8) === 0) return [...node, node[index]];
    return node.map((member, at) => (at === index ? mutate(member, pick) : member));
  }
  const entries = Object.entries(node);
  if (entries.length === 0) return values[pick(values.length)];
  const chosen = pick(entries.length);
  if (pick(10) === 0) return Object.fromEntries(entries.filter((_, at) => at !== chosen));
  return Object.fromEntries(entries.map(([key, member], at) => [key, at === chosen ? mutate(member, pick) : member]));
}

describe('a hostile spec', () => {
  it('gives a program or an error with a kind', () => {
    let compiled = 0;
    for (let seed = 1; seed <= 4000; seed++) {
      const pick = random(seed);
      let spec: unknown = full;
      for (let i = 0; i <= pick(3); i++) spec = mutate(spec, pick);
      const facts = [unifiedFacts, hybridFacts, rootlessFacts][pick(3)]!;
      try {
        const { program } = planCreate({
          id: 'x',
          spec: parseRuntimeSpec(JSON.stringify(spec)),
          bundle: '/b',
          stdio: 'inherit',
          startGate: 'none',
          consoleSocket: '/c',
          facts,
        });
        decodeProgram(encodeProgram(program));
        compiled++;
      } catch (error) {
        assert.ok(
          error instanceof EngineError,
          `seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`,
        );
      }
    }
    assert.ok(compiled > 300, `only ${compiled} compiled`);
  });
});
