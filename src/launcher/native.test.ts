import assert from 'node:assert/strict';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { AT_FDCWD, native } from './index.ts';
import { needsRoot } from './probe.ts';

const sys = native();

async function ended(pid: number): Promise<{ code: number; signal: number }> {
  for (;;) {
    const exit = sys.waitPid(pid);
    if (exit) return exit;
    await delay(1);
  }
}

describe('spawn', () => {
  test('gives the program exactly its descriptors, crossed ones too', async () => {
    const [a, b] = sys.socketpair(1);
    const fds = [b, a];
    const script = 'echo to-zero >&0; echo to-one >&1; test $(ls /proc/self/fd | wc -l) = 4; exit $?';
    const pid = sys.spawn({
      file: '/bin/sh',
      args: ['sh', '-c', script],
      env: ['PATH=/bin:/usr/bin'],
      fds: [...fds, -1],
    });
    assert.deepEqual(await ended(pid), { code: 0, signal: 0 });
    assert.equal(sys.receiveFds(a, 64, 0)?.bytes.toString(), 'to-zero\n');
    assert.equal(sys.receiveFds(b, 64, 0)?.bytes.toString(), 'to-one\n');
    sys.close(a);
    sys.close(b);
  });

  test('runs a sealed copy of a program', async () => {
    const fd = sys.sealedMemfd('/bin/true');
    const pid = sys.spawn({ file: fd, args: ['true'], env: [], fds: [-1, -1, -1], newSession: true });
    assert.deepEqual(await ended(pid), { code: 0, signal: 0 });
    assert.throws(() => writeFileSync(fd, 'x'), { code: 'EPERM' });
    closeSync(fd);
  });

  test('says why a program cannot run, and leaves no process', () => {
    assert.throws(() => sys.spawn({ file: '/nonexistent', args: ['x'], env: [], fds: [] }), {
      code: 'ENOENT',
      syscall: 'spawn',
      message: 'spawn: No such file or directory',
    });
    assert.throws(() => sys.spawn({ file: '/bin/true', args: ['x'], env: [], fds: [9999] }), { code: 'EBADF' });
    assert.throws(() => sys.spawn({ file: '/bin/true', args: [1 as unknown as string], env: [], fds: [] }), TypeError);
  });

  test('a death by signal is told as shells do', async () => {
    const pid = sys.spawn({ file: '/bin/sh', args: ['sh', '-c', 'kill -9 $$'], env: [], fds: [-1, -1, -1] });
    assert.deepEqual(await ended(pid), { code: 137, signal: 9 });
    assert.throws(() => sys.waitPid(pid), { code: 'ECHILD' });
    assert.throws(() => sys.waitPid(-1), { code: 'EINVAL' });
  });

  test('a pidfd hits the process that was meant', async () => {
    const pid = sys.spawn({ file: '/bin/sleep', args: ['sleep', '60'], env: [], fds: [-1, -1, -1] });
    const fd = sys.pidfdOpen(pid);
    sys.pidfdSendSignal(fd, 15);
    assert.equal((await ended(pid)).signal, 15);
    assert.throws(() => sys.pidfdSendSignal(fd, 0), { code: 'ESRCH' });
    sys.close(fd);
  });
});

describe('descriptors over sockets', () => {
  test('bytes and descriptors arrive together, the end is empty', () => {
    const [ours, theirs] = sys.socketpair(5);
    assert.equal(sys.receiveFds(theirs, 10, 4), null);
    const file = openSync('/proc/version', 'r');
    assert.equal(sys.sendFds(ours, Buffer.from('two'), [file, file]), 3);
    const message = sys.receiveFds(theirs, 10, 4);
    assert.equal(message?.bytes.toString(), 'two');
    assert.equal(message.fds.length, 2);
    assert.equal(readFileSync(message.fds[1]!, 'utf8'), readFileSync('/proc/version', 'utf8'));
    assert.equal(sys.peerCred(theirs).pid, process.pid);
    sys.close(ours);
    assert.deepEqual(sys.receiveFds(theirs, 10, 4), { bytes: Buffer.alloc(0), fds: [] });
    for (const fd of [theirs, file, ...message.fds]) sys.close(fd);
  });

  test('a full socket does not block', () => {
    const [ours, theirs] = sys.socketpair(1);
    assert.throws(
      () => {
        for (;;) sys.sendFds(ours, Buffer.alloc(65536), []);
      },
      { code: 'EAGAIN' },
    );
    sys.close(theirs);
    assert.throws(() => sys.sendFds(ours, Buffer.from('x'), []), { code: 'EPIPE' });
    sys.close(ours);
  });
});

describe('files', { skip: needsRoot }, () => {
  let folder: string;
  let dir: number;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-native-'));
    dir = openSync(folder, 'r');
  });
  after(() => {
    closeSync(dir);
    rmSync(folder, { recursive: true });
  });

  test('names need not be text', () => {
    const name = Buffer.from([0x66, 0xff, 0xfe]);
    sys.mkdirat(dir, name, 0o700);
    assert.ok(readdirSync(folder, { encoding: 'buffer' }).some(entry => entry.equals(name)));
    sys.symlinkat(name, dir, 'link');
    assert.deepEqual(sys.readlinkat(dir, 'link'), name);
    sys.unlinkat(dir, 'link', 0);
    sys.unlinkat(dir, name, 0x200);
    assert.throws(() => sys.mkdirat(dir, 'a\0b', 0o700), { code: 'EINVAL' });
    assert.throws(() => sys.mkdirat(dir, 'x'.repeat(5000), 0o700), { code: 'ENAMETOOLONG' });
  });

  test('owners, modes, times, links and nodes are set by descriptor', () => {
    closeSync(sys.openat2(dir, 'file', 0o101, 0o600, 0));
    sys.fchownat(dir, 'file', 12, 34, 0x100);
    sys.fchmodat(dir, 'file', 0o4755);
    sys.utimensat(dir, 'file', 1, 2, 1234567890, 123456789, 0x100);
    sys.linkat(dir, 'file', dir, 'other', 0);
    const stat = sys.statx(dir, 'file', 0x100);
    assert.deepEqual(
      [stat.mode, stat.uid, stat.gid, stat.nlink, stat.atimeSec, stat.mtimeSec, stat.mtimeNsec],
      [0o104755, 12, 34, 2, 1, 1234567890, 123456789],
    );
    sys.mknodat(dir, 'null', 0o20666, 1, 3);
    const node = sys.statx(dir, 'null', 0x100);
    assert.deepEqual([node.mode & 0o170000, node.rdevMajor, node.rdevMinor], [0o20000, 1, 3]);
    sys.renameat2(dir, 'other', dir, 'renamed', 1);
    assert.throws(() => sys.renameat2(dir, 'file', dir, 'renamed', 1), { code: 'EEXIST' });
  });

  test('a bounded look-up stays in its directory', () => {
    symlinkSync('/etc/passwd', join(folder, 'escape'));
    assert.throws(() => sys.openat2(dir, 'escape', 0, 0, 0x10), { code: 'ENOENT' });
    assert.throws(() => sys.openat2(dir, 'escape', 0, 0, 0x08), { code: 'EXDEV' });
    assert.throws(() => sys.openat2(dir, 'escape', 0, 0, 0x04), { code: 'ELOOP' });
  });

  test('extended attributes are bytes', t => {
    const file = join(folder, 'xattr');
    writeFileSync(file, '');
    const value = Buffer.from([0, 1, 0xff, 0]);
    try {
      sys.lsetxattr(file, 'trusted.binary', value, 0);
    } catch (error) {
      if ((error as { code?: string }).code === 'EOPNOTSUPP') return t.skip('the file system has no attributes');
      throw error;
    }
    assert.deepEqual(sys.lgetxattr(file, 'trusted.binary'), value);
    const fd = openSync(file, 'r');
    assert.deepEqual(sys.lgetxattr(fd, 'trusted.binary'), value);
    assert.ok(sys.llistxattr(fd).includes('trusted.binary'));
    sys.lremovexattr(fd, 'trusted.binary');
    assert.equal(sys.lgetxattr(file, 'trusted.binary'), null);
    closeSync(fd);
  });

  test('copyFileRange and locks work', () => {
    writeFileSync(join(folder, 'from'), 'abcdef');
    const [from, to] = [openSync(join(folder, 'from'), 'r'), openSync(join(folder, 'to'), 'w+')];
    assert.equal(sys.copyFileRange(from, 2, to, null, 3), 3);
    assert.equal(readFileSync(join(folder, 'to'), 'utf8'), 'cde');
    sys.flock(to, 2);
    const again = openSync(join(folder, 'to'), 'r');
    assert.throws(() => sys.flock(again, 2 | 4), { code: 'EAGAIN' });
    for (const fd of [from, to, again]) closeSync(fd);
  });

  test('errors carry the code and the call', () => {
    assert.throws(() => sys.mount('none', '/nonexistent', 'tmpfs', 0, ''), {
      code: 'ENOENT',
      errno: 2,
      syscall: 'mount',
      message: 'mount: No such file or directory',
    });
    assert.throws(() => sys.statx(AT_FDCWD, '/nonexistent', 0), { code: 'ENOENT' });
  });
});

test('loads in several worker threads, each with mounts and a umask of its own', { skip: needsRoot }, async () => {
  const source = `
    import { native } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    import { parentPort } from 'node:worker_threads';
    const sys = native();
    sys.unshare(0x200 | 0x20000);
    sys.mount('none', '/', '', 0x4000 | 1 << 18, '');
    sys.mount('tmpfs', '/mnt', 'tmpfs', 0, '');
    sys.umask(0);
    sys.mkdirat(-100, '/mnt/inside', 0o777);
    parentPort.postMessage(sys.statx(-100, '/mnt/inside', 0).mode & 0o777);
  `;
  const modes = await Promise.all(
    Array.from({ length: 4 }, () => {
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
      return new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
    }),
  );
  assert.deepEqual(modes, [0o777, 0o777, 0o777, 0o777]);
  assert.throws(() => sys.statx(AT_FDCWD, '/mnt/inside', 0), { code: 'ENOENT' });
  assert.notEqual(sys.umask(0o22), 0);
});
