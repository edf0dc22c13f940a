import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Seccomp, SeccompOperator } from '../../oci/index.ts';
import { runFilter } from '../testing/bpf-interpreter.ts';
import { compileFilter, compileSeccomp } from './compile.ts';
import { architectures } from './syscalls.ts';

const ALLOW = 0x7fff0000;
const errno = (number: number) => 0x00050000 | number;
const x86_64 = architectures.SCMP_ARCH_X86_64!;
const i386 = architectures.SCMP_ARCH_X86!;
const x32 = architectures.SCMP_ARCH_X32!;
const aarch64 = architectures.SCMP_ARCH_AARCH64!;
const arm = architectures.SCMP_ARCH_ARM!;
const numberOf = (name: string, architecture = x86_64) => {
  const number = architecture.table().get(name);
  assert.ok(number !== undefined, name);
  return architecture.base + number;
};
const call = (filter: Uint8Array, name: string, args: bigint[] = [], architecture = x86_64) =>
  runFilter(filter, { number: numberOf(name, architecture), architecture: architecture.audit, arguments: args });

const allowList = (names: string[], extra: Partial<Seccomp> = {}): Seccomp => ({
  defaultAction: 'SCMP_ACT_ERRNO',
  syscalls: [{ names, action: 'SCMP_ACT_ALLOW' }],
  ...extra,
});

describe('system call tables', () => {
  it('has the numbers that the ABI fixed long ago', () => {
    assert.equal(x86_64.table().get('execve'), 59);
    assert.equal(x86_64.table().get('clone3'), 435);
    assert.equal(x86_64.table().get('uretprobe'), 335);
    assert.equal(i386.table().get('execve'), 11);
    assert.equal(i386.table().get('socketcall'), 102);
    assert.equal(x32.table().get('execve'), 520);
    assert.equal(aarch64.table().get('execve'), 221);
    assert.equal(aarch64.table().get('newfstatat'), 79);
    assert.equal(arm.table().get('execve'), 11);
    assert.equal(arm.table().get('set_tls'), 0xf0005);
    for (const { table } of [x86_64, i386, x32, aarch64, arm]) assert.equal(table().get('mseal'), 462);
  });
});

describe('a filter', () => {
  it('leads every number of an architecture to what a plain reading of the rules says', () => {
    const profile: Seccomp = {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 1,
      syscalls: [
        {
          names: ['read', 'write', 'open', 'mmap', 'close', 'exit', 'futex_waitv', 'nosuchcall'],
          action: 'SCMP_ACT_ALLOW',
        },
        { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
        { names: ['ptrace'], action: 'SCMP_ACT_KILL_PROCESS' },
        { names: ['reboot'], action: 'SCMP_ACT_TRAP' },
        { names: ['mount'], action: 'SCMP_ACT_LOG' },
        { names: ['umount2'], action: 'SCMP_ACT_TRACE', errnoRet: 7 },
      ],
    };
    const values: Record<string, number> = {
      clone3: errno(38),
      ptrace: 0x80000000,
      reboot: 0x00030000,
      mount: 0x7ffc0000,
      umount2: 0x7ff00007,
    };
    for (const architecture of [x86_64, i386, x32, aarch64, arm]) {
      const filter = compileFilter(profile, [architecture]);
      const names = new Map([...architecture.table()].map(([name, number]) => [number, name]));
      const allowed = new Set(profile.syscalls![0]!.names);
      const named = profile.syscalls!.flatMap(rule => rule.names).map(name => architecture.table().get(name) ?? 0);
      const last = Math.max(...named);
      for (let number = 0; number < 600; number++) {
        const name = names.get(number) ?? '';
        const expected = number > last ? errno(38) : (values[name] ?? (allowed.has(name) ? ALLOW : errno(1)));
        const data = { number: architecture.base + number, architecture: architecture.audit };
        assert.equal(runFilter(filter, data), expected, `${architecture.name} ${number} ${name}`);
      }
    }
  });

  it('kills calls of an architecture that the profile does not name', () => {
    const filter = compileFilter(allowList(['read']), [x86_64]);
    assert.equal(call(filter, 'read'), ALLOW);
    assert.equal(call(filter, 'read', [], i386), 0);
    // With bit 30 set it is x32, whose numbers mean other calls.
    assert.equal(call(filter, 'read', [], x32), 0);
  });

  it('serves all architectures of one profile', () => {
    const filter = compileFilter(allowList(['read', 'socketcall']), [x86_64, i386, x32]);
    for (const architecture of [x86_64, i386, x32]) assert.equal(call(filter, 'read', [], architecture), ALLOW);
    assert.equal(call(filter, 'socketcall', [], i386), ALLOW);
    assert.equal(call(filter, 'write', [], x32), errno(38));
  });

  it('answers ENOSYS to calls that are newer than the profile, unless it allows by default', () => {
    const strict = compileFilter(allowList(['read', 'clone3']), [x86_64]);
    assert.equal(call(strict, 'mseal'), errno(38));
    assert.equal(call(strict, 'openat2'), errno(38));
    assert.equal(call(strict, 'pidfd_open'), errno(1));
    const lenient = compileFilter(
      { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['read'], action: 'SCMP_ACT_ERRNO' }] },
      [x86_64],
    );
    assert.equal(call(lenient, 'mseal'), ALLOW);
    assert.equal(call(lenient, 'read'), errno(1));
  });

  it('compares arguments over all 64 bits', () => {
    const interesting = [
      0n,
      1n,
      2n,
      0x7fffffffn,
      0x80000000n,
      0xffffffffn,
      0x100000000n,
      0x100000001n,
      0x7e020000n,
      2n ** 63n,
      2n ** 64n - 1n,
    ];
    const holds: Record<SeccompOperator, (a: bigint, b: bigint, two: bigint) => boolean> = {
      SCMP_CMP_EQ: (a, b) => a === b,
      SCMP_CMP_NE: (a, b) => a !== b,
      SCMP_CMP_LT: (a, b) => a < b,
      SCMP_CMP_LE: (a, b) => a <= b,
      SCMP_CMP_GT: (a, b) => a > b,
      SCMP_CMP_GE: (a, b) => a >= b,
      SCMP_CMP_MASKED_EQ: (a, b, two) => (a & b) === (two & b),
    };
    for (const [op, expected] of Object.entries(holds)) {
      for (const value of interesting) {
        for (const valueTwo of op === 'SCMP_CMP_MASKED_EQ' ? [0n, 1n, 0x100000000n] : [0n]) {
          const filter = compileFilter(
            {
              defaultAction: 'SCMP_ACT_ERRNO',
              syscalls: [
                {
                  names: ['clone'],
                  action: 'SCMP_ACT_ALLOW',
                  args: [{ index: 2, value, valueTwo, op: op as SeccompOperator }],
                },
              ],
            },
            [x86_64],
          );
          for (const actual of interesting) {
            const verdict = call(filter, 'clone', [5n, 5n, actual]);
            assert.equal(
              verdict,
              expected(actual, value, valueTwo) ? ALLOW : errno(1),
              `${op} ${actual} ${value} ${valueTwo}`,
            );
          }
        }
      }
    }
  });

  it('takes arguments of one rule together, and one argument twice as alternatives', () => {
    const rule = (args: { index: number; value: number }[]): Seccomp => ({
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        {
          names: ['socket'],
          action: 'SCMP_ACT_ALLOW',
          args: args.map(arg => ({ ...arg, op: 'SCMP_CMP_EQ' as const })),
        },
      ],
    });
    const both = compileFilter(
      rule([
        { index: 0, value: 1 },
        { index: 1, value: 2 },
      ]),
      [x86_64],
    );
    assert.equal(call(both, 'socket', [1n, 2n]), ALLOW);
    assert.equal(call(both, 'socket', [1n, 3n]), errno(1));
    const either = compileFilter(
      rule([
        { index: 0, value: 1 },
        { index: 0, value: 2 },
      ]),
      [x86_64],
    );
    assert.equal(call(either, 'socket', [1n]), ALLOW);
    assert.equal(call(either, 'socket', [2n]), ALLOW);
    assert.equal(call(either, 'socket', [3n]), errno(1));
  });

  it('tries the rules of one call in order, and lets a rule without arguments win', () => {
    const profile: Seccomp = {
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        { names: ['personality'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 0, op: 'SCMP_CMP_EQ' }] },
        { names: ['personality'], action: 'SCMP_ACT_TRAP', args: [{ index: 0, value: 8, op: 'SCMP_CMP_LE' }] },
        { names: ['socket'], action: 'SCMP_ACT_TRAP', args: [{ index: 0, value: 8, op: 'SCMP_CMP_LE' }] },
        { names: ['socket'], action: 'SCMP_ACT_ALLOW' },
      ],
    };
    const filter = compileFilter(profile, [x86_64]);
    assert.equal(call(filter, 'personality', [0n]), ALLOW);
    assert.equal(call(filter, 'personality', [3n]), 0x00030000);
    assert.equal(call(filter, 'personality', [9n]), errno(1));
    assert.equal(call(filter, 'socket', [3n]), ALLOW);
  });

  it('jumps further than 255 instructions where it must', () => {
    const args = Array.from({ length: 6 }, (_, index) => ({ index, value: index + 1, op: 'SCMP_CMP_EQ' as const }));
    const names = [...x86_64.table().keys()].filter((_, index) => index % 2 === 0).slice(0, 100);
    const filter = compileFilter(
      {
        defaultAction: 'SCMP_ACT_ERRNO',
        syscalls: names.map((name, index) => ({
          names: [name],
          action: 'SCMP_ACT_ERRNO' as const,
          errnoRet: index + 2,
          args,
        })),
      },
      [x86_64],
    );
    names.forEach((name, index) => {
      assert.equal(call(filter, name, [1n, 2n, 3n, 4n, 5n, 6n]), errno(index + 2));
      assert.equal(call(filter, name, [1n, 2n, 3n, 4n, 5n, 7n]), errno(1));
    });
  });

  it('refuses what it does not know', () => {
    const bad = (extra: Partial<Seccomp>) => () => compileSeccomp({ ...allowList(['read']), ...extra });
    assert.throws(bad({ flags: ['SECCOMP_FILTER_FLAG_X'] }), /unknown/);
    assert.throws(bad({ architectures: ['SCMP_ARCH_Z80'] }), /invalid seccomp architecture "SCMP_ARCH_Z80"/);
    assert.throws(bad({ defaultAction: 'SCMP_ACT_MAYBE' as never }), /invalid seccomp action "SCMP_ACT_MAYBE"/);
    assert.throws(
      bad({
        syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] }],
      }),
      /not 0 to 5/,
    );
  });

  it('is compiled once for equal profiles', () => {
    assert.equal(compileSeccomp(allowList(['read', 'dup3'])), compileSeccomp(allowList(['read', 'dup3'])));
  });
});
