import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultProfile, parseProfile, resolveProfile } from './index.ts';

const dockerCapabilities = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];
const resolve = (capabilities: readonly string[], architecture = 'amd64', kernel = '6.1.0') =>
  resolveProfile(defaultProfile, { capabilities, architecture, kernel });
const rulesOf = (seccomp: ReturnType<typeof resolve>, name: string) =>
  (seccomp.syscalls ?? []).filter(rule => rule.names.includes(name));

describe("Docker's default seccomp profile", () => {
  it('allows 361 calls to every container', () => {
    assert.equal(new Set(defaultProfile.syscalls![0]!.names).size, 361);
    assert.ok(!defaultProfile.syscalls![0]!.names!.includes('io_uring_setup'));
  });

  it('resolves for the default container as Docker does', () => {
    const seccomp = resolve(dockerCapabilities);
    assert.deepEqual(seccomp.architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
    assert.equal(seccomp.defaultErrnoRet, 1);
    assert.deepEqual(rulesOf(seccomp, 'clone3'), [{ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }]);
    assert.deepEqual(rulesOf(seccomp, 'clone')[0]?.args, [{ index: 0, value: 0x7e020000, op: 'SCMP_CMP_MASKED_EQ' }]);
    assert.equal(rulesOf(seccomp, 'chroot').length, 1);
    assert.equal(rulesOf(seccomp, 'ptrace').length, 1);
    for (const name of ['mount', 'bpf', 'reboot', 'init_module', 'syslog', 'iopl'])
      assert.deepEqual(rulesOf(seccomp, name), [], name);
  });

  it('opens groups with capabilities, and leaves clone alone with CAP_SYS_ADMIN', () => {
    const seccomp = resolve([...dockerCapabilities, 'CAP_SYS_ADMIN']);
    assert.equal(rulesOf(seccomp, 'mount').length, 1);
    assert.deepEqual(
      rulesOf(seccomp, 'clone3').map(({ action }) => action),
      ['SCMP_ACT_ALLOW'],
    );
    assert.ok(rulesOf(seccomp, 'clone').every(({ args }) => args === undefined));
  });

  it('depends on the machine and the kernel', () => {
    assert.deepEqual(rulesOf(resolve([], 'amd64', '4.4.0'), 'ptrace'), []);
    assert.equal(rulesOf(resolve([], 'amd64', '4.10.0'), 'ptrace').length, 1);
    assert.deepEqual(resolve([], 'arm64').architectures, ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
    assert.equal(rulesOf(resolve([], 'arm64'), 'set_tls').length, 1);
    assert.deepEqual(rulesOf(resolve([], 'arm64'), 'modify_ldt'), []);
  });
});

describe('a profile of the user', () => {
  it('is refused with the reason when it makes no sense', () => {
    assert.throws(() => parseProfile('{'), /decoding seccomp profile failed/);
    assert.throws(() => parseProfile('[]'), /not an object/);
    assert.throws(() => parseProfile('{"defaultAction":"X"}'), /invalid defaultAction "X"/);
    assert.throws(
      () =>
        parseProfile(
          '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"a","names":["b"],"action":"SCMP_ACT_ALLOW"}]}',
        ),
      /both 'name' and 'names'/,
    );
    const both = parseProfile(
      '{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86_64"}]}',
    );
    assert.throws(() => resolveProfile(both, { capabilities: [], architecture: 'amd64', kernel: '6.1' }), /use either/);
  });

  it('may name its architectures plainly, and calls in the old form', () => {
    const profile = parseProfile(
      '{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],"syscalls":[{"name":"mkdir","action":"SCMP_ACT_ERRNO"}]}',
    );
    assert.deepEqual(resolveProfile(profile, { capabilities: [], architecture: 'amd64', kernel: '6.1' }), {
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures: ['SCMP_ARCH_X86'],
      syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }],
    });
  });
});
