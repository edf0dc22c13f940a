import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeProgram, disassemble, disassembleOp, encodeProgram, type Op, type Program } from './index.ts';
import { opNames } from './layouts.ts';

const golden = join(import.meta.dirname, 'testdata/every-op.txt');

/** Every op at least once, with what it may have. */
const everyOp: Program = [
  {
    op: 'mkdir',
    path: '/sys/fs/cgroup/pids/docker/4f',
    mode: 0o755,
    parents: true,
    why: 'cgroupsPath',
    tolerate: ['EEXIST'],
  },
  { op: 'open', slot: 0, path: '/sys/fs/cgroup/docker/4f', flags: 0o10200000 },
  { op: 'deviceFilter', cgroup: 0, program: new Uint8Array(24) },
  { op: 'pipe', read: 1, write: 2, size: 1 << 20, uid: 1000, gid: 1000 },
  { op: 'pidfdOpen', slot: 3, pid: 4711 },
  { op: 'setns', fd: 3, flags: 0x40000000 | 0x20000000 },
  { op: 'unshare', flags: 0x80 },
  {
    op: 'clone',
    flags: 0x20000 | 0x20000000,
    cgroup: 0,
    pidfd: 4,
    why: 'linux.namespaces',
    program: [
      { op: 'write', path: '/sys/fs/cgroup/pids/docker/4f/tasks', data: '0' },
      { op: 'await', peer: 'parent' },
      { op: 'setsid' },
      { op: 'joinSessionKeyring', name: '_ses.4f' },
      {
        op: 'mountSetattr',
        path: '/',
        set: 0,
        clear: 0,
        propagation: 1 << 19,
        recursive: true,
        why: 'what we mount stays here',
      },
      { op: 'openTree', slot: 5, path: '/srv/data', recursive: true, why: 'a volume' },
      { op: 'mountSetattr', slot: 5, set: 1, clear: 4, propagation: 0, userns: 6, recursive: false },
      {
        op: 'fsmount',
        slot: 7,
        type: 'overlay',
        source: 'overlay',
        options: ['lowerdir=l/A:l/B', 'userxattr'],
        attributes: 0,
      },
      { op: 'moveMount', slot: 7, path: '/run/root' },
      { op: 'mount', source: 'proc', target: '/proc', type: 'proc', flags: 14, data: '' },
      { op: 'chdir', path: '/run/root' },
      { op: 'pivotRoot', newRoot: '.', putOld: '.' },
      { op: 'umount', target: '.', flags: 2 },
      { op: 'open', slot: 8, path: '/', flags: 0o10200000 },
      { op: 'fsmount', slot: 9, type: 'proc', source: 'proc', options: [], attributes: 14 },
      { op: 'verify', slot: 9, magic: 0x9fa0, type: 0o40000, rdev: 259 },
      { op: 'moveMount', slot: 9, dir: 8, path: '/proc', resolve: 0x14, make: 'directory' },
      { op: 'copyUp', slot: 10, path: '/var/lib', maxBytes: 1e9 },
      { op: 'mask', file: 11, directory: 12, path: '/proc/kcore', dir: 8, resolve: 0x10 },
      { op: 'readonlyPath', path: '/proc/sys' },
      { op: 'mknod', path: '/dev/null', mode: 0o20666, major: 1, minor: 3 },
      { op: 'symlink', path: '/dev/fd', target: '/proc/self/fd' },
      { op: 'chown', path: '/dev/console', uid: 0, gid: 5 },
      { op: 'chmod', path: '', dir: 8, mode: 0o1777 },
      { op: 'unlink', path: '/dev/ptmx', tolerate: ['ENOENT', 'EBUSY'] },
      { op: 'rmdir', path: '/old root' },
      { op: 'chroot', path: '/new' },
      { op: 'fchdir', slot: 8 },
      { op: 'openPty', dir: 8, path: '/dev/pts/ptmx', master: 13, slave: 14, rows: 24, columns: 80, uid: 1000 },
      { op: 'sendFd', slot: 13 },
      { op: 'sendFdTo', socket: '/run/console.sock', slot: 13, data: '/dev/pts/@', pidToken: '@' },
      { op: 'controllingTty', slot: 14 },
      { op: 'dup', slot: 14, fd: 0 },
      { op: 'close', slot: 14 },
      { op: 'sethostname', name: '4f' },
      { op: 'setdomainname', name: '(none)' },
      { op: 'rlimit', resource: 7, soft: 1024n, hard: (1n << 64n) - 1n, clamp: true },
      { op: 'umask', mask: 0o22 },
      { op: 'personality', persona: 8 },
      { op: 'schedSetattr', attr: new Uint8Array(48) },
      { op: 'ioprio', value: 0x4002 },
      { op: 'cpuAffinity', mask: Uint8Array.of(3) },
      { op: 'memoryPolicy', mode: 2, nodes: Uint8Array.of(1) },
      { op: 'capBounding', keep: (1n << 41n) - 1n - (1n << 24n) },
      { op: 'prctl', option: 8, args: [1] },
      { op: 'setgroups', gids: [0, 20] },
      { op: 'setgid', gid: 1000 },
      { op: 'setuid', uid: 1000 },
      { op: 'capset', effective: 0n, permitted: 0b100001n, inheritable: (1n << 41n) - 1n },
      { op: 'capAmbient', raise: 0b1n },
      { op: 'prctl', option: 38, args: [1, 0, 0, 0] },
      { op: 'seccomp', filter: new Uint8Array(120 * 8), flags: 8, listener: 15, why: "Docker's default profile" },
      { op: 'checkExec', candidates: ['/usr/bin/web', '/bin/web'] },
      { op: 'awaitByte', slot: 16 },
      { op: 'closeOnExecFrom', fd: 3 },
      {
        op: 'exec',
        candidates: ['/usr/bin/web', '/bin/web'],
        args: ['web', '--title', "it's on", ''],
        env: ['PATH=/usr/bin:/bin', 'A=b c'],
      },
    ],
  },
  { op: 'writeIdMap', file: 'uid_map', data: '0 100000 65536\n' },
  { op: 'netlink', protocol: 0, messages: new Uint8Array(64), pid: [{ offset: 60 }], why: 'eth0' },
  { op: 'run', path: '/usr/bin/hook', args: ['hook'], env: [], stdin: '{"pid":@}', pidToken: '@', timeoutMs: 5000 },
  { op: 'receiveFd', slot: 13 },
  { op: 'stdio', terminal: 13 },
  { op: 'notify', peer: 'child' },
  { op: 'await', peer: 'child' },
  { op: 'ready' },
  { op: 'await', peer: 'exec' },
  { op: 'exit', code: 0 },
];

const explain = (op: Op): readonly string[] | undefined =>
  op.op === 'netlink' ? ['new device veth4f, its peer eth0 in the container'] : undefined;

test('every op is printed as people read it', () => {
  const text = disassemble(everyOp, { explain });
  if (process.env.BERTH_UPDATE_GOLDEN) writeFileSync(golden, text);
  assert.equal(text, readFileSync(golden, 'utf8'), 'BERTH_UPDATE_GOLDEN=1 rewrites it');
});

test('the golden program has every op there is', () => {
  const used = new Set<string>();
  const collect = (program: Program): void => {
    for (const op of program) {
      used.add(op.op);
      if (op.op === 'clone') collect(op.program);
    }
  };
  collect(everyOp);
  assert.deepEqual([...used].sort(), [...opNames].sort());
});

test('a program that went through its bytes prints the same, but for the reasons', () => {
  const strip = (text: string): string => text.replace(/ {2}# .*$/gm, '');
  assert.equal(disassemble(decodeProgram(encodeProgram(everyOp))), strip(disassemble(everyOp)));
});

test('unknown bits are printed as a number', () => {
  assert.equal(disassembleOp({ op: 'unshare', flags: 0x20000 | 0x400 }), 'unshare NEWNS|0x400');
  assert.equal(disassembleOp({ op: 'umount', target: '/', flags: 0 }), 'umount / 0');
});
