// Mounts and paths, on the real kernel, in mount namespaces of their own.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type Op, runProgram } from './index.ts';
import {
  child,
  failureOf,
  IN_ROOT,
  NEWNS,
  NEWPID,
  NO_SYMLINKS,
  needsRoot,
  outputOf,
  privateMounts,
  shell,
  tmpfs,
} from './probe.ts';

const busybox = '/bin/busybox';

/** A private mount namespace with a tmpfs on /mnt, also in slot 0, and then `ops`. */
const inside = (...ops: Op[]) => child(NEWNS, privateMounts, ...tmpfs(0, '/mnt'), ...ops);

/** What a shell says afterwards. */
const seen = async (script: string, ...ops: Op[]): Promise<string> =>
  (await outputOf(inside(...ops, shell(script)))).text;

describe('root', { skip: needsRoot || (existsSync(busybox) ? false : 'needs a static busybox') }, () => {
  test('a process pivots into a root of its own and cannot see the old one', async () => {
    const { text, code } = await outputOf(
      child(
        NEWNS | NEWPID,
        privateMounts,
        ...tmpfs(0, '/mnt'),
        { op: 'openTree', slot: 1, path: busybox, recursive: false },
        { op: 'chdir', path: '/mnt' },
        { op: 'pivotRoot', newRoot: '.', putOld: '.' },
        { op: 'umount', target: '.', flags: 2 },
        { op: 'moveMount', slot: 1, path: '/bin/busybox', make: 'same' },
        { op: 'fsmount', slot: 2, type: 'proc', source: 'proc', options: [], attributes: 14 },
        { op: 'verify', slot: 2, magic: 0x9fa0, type: 0o040000 },
        { op: 'moveMount', slot: 2, path: '/proc', make: 'directory' },
        { op: 'mkdir', path: '/dev/deep/er', mode: 0o700, parents: true },
        { op: 'mknod', path: '/dev/null', mode: 0o20666, major: 1, minor: 3 },
        { op: 'symlink', path: '/dev/fd', target: '/proc/self/fd' },
        { op: 'write', path: '/file', data: 'written', flags: 0o100, mode: 0o640 },
        { op: 'chown', path: '/file', uid: 12, gid: 34 },
        { op: 'chmod', path: '/file', mode: 0o600 },
        {
          op: 'exec',
          candidates: ['/sbin/sh', '/bin/busybox'],
          args: [
            'sh',
            '-c',
            'ls /; ls -d /proc/[0-9]*; cat /file; stat -c " %a %u:%g" /file; stat -c %a /dev/deep /dev/deep/er; ls /dev; echo > /dev/null; exit 9',
          ],
          env: [],
        },
      ),
    );
    assert.deepEqual(text.split('\n').filter(Boolean), [
      'bin',
      'dev',
      'file',
      'proc',
      '/proc/1',
      'written 600 12:34',
      '755',
      '700',
      'deep',
      'fd',
      'null',
    ]);
    assert.equal(code, 9);
  });
});

describe('mounts', { skip: needsRoot }, () => {
  test('a file system that cannot be mounted says why', async () => {
    const failure = await failureOf(
      inside({ op: 'fsmount', slot: 1, type: 'tmpfs', source: 'x', options: ['size=1k', 'nonsense=1'], attributes: 0 }),
    );
    assert.deepEqual([failure.path, failure.code], [[0, 3], 'EINVAL']);
    assert.match(failure.detail, /nonsense/i);
  });

  test('overlay takes its layers as options', async () => {
    const text = await seen(
      'cat /mnt/merged/a /mnt/merged/b; echo c > /mnt/merged/c; ls /mnt/upper',
      ...['one', 'two', 'upper', 'work', 'merged'].map(
        (name): Op => ({ op: 'mkdir', path: `/mnt/${name}`, mode: 0o755 }),
      ),
      { op: 'write', path: '/mnt/one/a', data: 'from one\n', flags: 0o100 },
      { op: 'write', path: '/mnt/two/a', data: 'from two\n', flags: 0o100 },
      { op: 'write', path: '/mnt/two/b', data: 'from two\n', flags: 0o100 },
      {
        op: 'fsmount',
        slot: 1,
        type: 'overlay',
        source: 'overlay',
        options: ['lowerdir=/mnt/one:/mnt/two', 'upperdir=/mnt/upper', 'workdir=/mnt/work'],
        attributes: 0,
      },
      { op: 'moveMount', slot: 1, path: '/mnt/merged' },
    );
    assert.equal(text, 'from one\nfrom two\nc\n');
  });

  test('a copied tree can be made read-only before it is anywhere', async () => {
    const text = await seen(
      'touch /mnt/source/new && touch /mnt/target/new || echo read-only; ls /mnt/target',
      { op: 'mkdir', path: '/mnt/source', mode: 0o755 },
      { op: 'openTree', slot: 1, dir: 0, path: 'source', recursive: true, resolve: IN_ROOT },
      { op: 'mountSetattr', slot: 1, set: 1, clear: 0, propagation: 1 << 18, recursive: true },
      { op: 'moveMount', slot: 1, dir: 0, path: '/target', resolve: IN_ROOT, make: 'same' },
    );
    assert.match(text, /Read-only file system\nread-only\nnew\n$/);
  });

  test('mask hides files, directories and what is missing', async () => {
    const text = await seen(
      'cat /mnt/file | wc -c; ls -A /mnt/full | wc -l; touch /mnt/full/x 2>&1 | grep -c Read-only; ls /mnt/none 2>&1 | grep -c "No such"; cat /mnt/file2 | wc -c',
      { op: 'mkdir', path: '/mnt/full/of/things', mode: 0o755, parents: true },
      { op: 'write', path: '/mnt/file', data: 'secret', flags: 0o100 },
      { op: 'write', path: '/mnt/file2', data: 'secret', flags: 0o100 },
      { op: 'openTree', slot: 1, path: '/dev/null', recursive: false },
      { op: 'verify', slot: 1, type: 0o020000, rdev: 0x103 },
      { op: 'fsmount', slot: 2, type: 'tmpfs', source: 'tmpfs', options: ['size=0'], attributes: 1 },
      ...['/mnt/file', '/mnt/full', '/mnt/file2', '/mnt/none', '/mnt/file/none'].map(
        (path): Op => ({ op: 'mask', file: 1, directory: 2, path }),
      ),
    );
    assert.deepEqual(text.trim().split('\n'), ['0', '0', '1', '1', '0']);
  });

  test('readonlyPath makes read-only with all mounts below', async () => {
    const text = await seen(
      'touch /mnt/a/x; touch /mnt/a/sub/x; touch /mnt/free; ls /mnt',
      { op: 'mkdir', path: '/mnt/a/sub', mode: 0o755, parents: true },
      ...tmpfs(1, '/mnt/a/sub'),
      { op: 'readonlyPath', path: '/mnt/a' },
      { op: 'readonlyPath', path: '/mnt/missing' },
    );
    assert.equal(text.match(/Read-only/g)?.length, 2);
    assert.match(text, /a\nfree\n$/);
  });

  test('copyUp takes a directory along into a mount', async () => {
    const text = await seen(
      'cd /mnt/etc; stat -c "%n %a %u:%g" . sub sub/file link; readlink link; cat sub/file; getfattr --only-values -n user.note sub/file 2>/dev/null || echo noted',
      { op: 'mkdir', path: '/mnt/etc/sub', mode: 0o750, parents: true },
      { op: 'write', path: '/mnt/etc/sub/file', data: 'content\n', flags: 0o100, mode: 0o604 },
      { op: 'chown', path: '/mnt/etc/sub', uid: 5, gid: 6 },
      { op: 'symlink', path: '/mnt/etc/link', target: '/somewhere' },
      { op: 'chmod', path: '/mnt/etc', mode: 0o711 },
      { op: 'fsmount', slot: 1, type: 'tmpfs', source: 'tmpfs', options: [], attributes: 0 },
      { op: 'copyUp', slot: 1, path: '/mnt/etc', maxBytes: 1 << 20 },
      { op: 'moveMount', slot: 1, path: '/mnt/etc' },
    );
    assert.deepEqual(text.split('\n').slice(0, 6), [
      '. 711 0:0',
      'sub 750 5:6',
      'sub/file 604 0:0',
      'link 777 0:0',
      '/somewhere',
      'content',
    ]);
  });

  test('copyUp stops at its bound', async () => {
    const failure = await failureOf(
      inside(
        { op: 'write', path: '/mnt/file', data: 'x'.repeat(5000), flags: 0o100 },
        { op: 'fsmount', slot: 1, type: 'tmpfs', source: 'tmpfs', options: [], attributes: 0 },
        { op: 'copyUp', slot: 1, path: '/mnt', maxBytes: 4999 },
      ),
    );
    assert.equal(failure.code, 'EFBIG');
  });
});

describe('bounded look-ups', { skip: needsRoot }, () => {
  /** A root with links that try to leave it. */
  const traps: Op[] = [
    { op: 'mkdir', path: '/mnt/root/usr', mode: 0o755, parents: true },
    { op: 'symlink', path: '/mnt/root/out', target: '../../../../mnt/outside' },
    { op: 'symlink', path: '/mnt/root/absolute', target: '/mnt/outside' },
    { op: 'symlink', path: '/mnt/root/dangling', target: 'usr/later/on' },
    { op: 'symlink', path: '/mnt/root/loop', target: 'loop' },
    { op: 'mkdir', path: '/mnt/outside', mode: 0o755 },
    { op: 'open', slot: 5, flags: 0o10200000, path: '/mnt/root' },
  ];
  const make = (path: string): Op => ({ op: 'mkdir', dir: 5, path, mode: 0o755, parents: true, resolve: IN_ROOT });

  test('directories are made inside the root whatever links say', async () => {
    const text = await seen(
      'cd /mnt; find outside root -type d | sort',
      ...traps,
      ...['a/b/c', '/x//y/', 'out/p', 'absolute/q/r', 'dangling/s', '../../../up'].map(make),
    );
    assert.deepEqual(text.trim().split('\n'), [
      'outside',
      'root',
      'root/a',
      'root/a/b',
      'root/a/b/c',
      'root/mnt',
      'root/mnt/outside',
      'root/mnt/outside/p',
      'root/mnt/outside/q',
      'root/mnt/outside/q/r',
      'root/up',
      'root/usr',
      'root/usr/later',
      'root/usr/later/on',
      'root/usr/later/on/s',
      'root/x',
      'root/x/y',
    ]);
  });

  test('what others make at the same time is taken for made', async () => {
    const shared = `/tmp/berth-shared-${process.pid}`;
    const path = `${shared}/a/b/c/d/e/f/g/h`;
    const program: Op[] = Array.from({ length: 40 }, (_, i) => ({
      op: 'mkdir',
      path: `${path}/${i}`,
      mode: 0o755,
      parents: true,
    }));
    try {
      await Promise.all(Array.from({ length: 8 }, () => runProgram(program)));
      assert.equal(readdirSync(path).length, 40);
    } finally {
      rmSync(shared, { recursive: true, force: true });
    }
  });

  test('a loop of links is an error', async () => {
    assert.equal((await failureOf(inside(...traps, make('loop/x')))).code, 'ELOOP');
  });

  test('files, links and nodes stay inside too', async () => {
    const at = { dir: 5, resolve: IN_ROOT } as const;
    const text = await seen(
      'cd /mnt; find outside root/mnt root/usr ! -type d | sort; stat -c "%u %a" root/usr/file',
      ...traps,
      make('mnt/outside'),
      { op: 'write', ...at, path: 'absolute/written', data: 'x', flags: 0o100 },
      { op: 'symlink', ...at, path: 'out/link', target: 'x' },
      { op: 'mknod', ...at, path: '/out/pipe', mode: 0o10600, major: 0, minor: 0 },
      { op: 'write', ...at, path: 'usr/file', data: 'x', flags: 0o100 },
      { op: 'chown', ...at, path: 'usr/file', uid: 7, gid: 7 },
      { op: 'chmod', ...at, path: 'usr/file', mode: 0o641 },
      { op: 'mkdir', ...at, path: 'out/gone', mode: 0o700 },
      { op: 'rmdir', ...at, path: 'out/gone' },
      { op: 'write', ...at, path: 'usr/gone', data: 'x', flags: 0o100 },
      { op: 'unlink', ...at, path: 'usr/gone' },
      {
        op: 'moveMount',
        ...at,
        slot: 0,
        path: 'usr/deep/mount',
        make: 'file',
        tolerate: ['ENOTDIR', 'EINVAL', 'EBUSY', 'ELOOP'],
      },
    );
    assert.deepEqual(text.trim().split('\n'), [
      'root/mnt/outside/link',
      'root/mnt/outside/pipe',
      'root/mnt/outside/written',
      'root/usr/deep/mount',
      'root/usr/file',
      '7 641',
    ]);
  });

  test('where links are forbidden nothing is followed', async () => {
    const bounded = { dir: 5, resolve: IN_ROOT | NO_SYMLINKS } as const;
    for (const op of [
      { op: 'mkdir', ...bounded, path: 'absolute/x', mode: 0o755, parents: true },
      { op: 'mkdir', ...bounded, path: 'absolute/x', mode: 0o755 },
      { op: 'write', ...bounded, path: 'out/x', data: '', flags: 0o100 },
      { op: 'mask', ...bounded, path: 'absolute', file: 0, directory: 0 },
      { op: 'readonlyPath', ...bounded, path: 'absolute' },
    ] satisfies Op[])
      assert.equal((await failureOf(inside(...traps, op))).code, 'ELOOP', op.op);
  });

  test('an empty slot is an error, not the working directory', async () => {
    for (const op of [
      { op: 'mkdir', dir: 9, path: 'x', mode: 0o755 },
      { op: 'mkdir', dir: 9, path: 'x', mode: 0o755, parents: true },
      { op: 'open', slot: 1, dir: 9, path: 'x', flags: 0 },
      { op: 'symlink', dir: 9, path: 'x', target: 'y', resolve: IN_ROOT },
      { op: 'moveMount', slot: 9, path: '/mnt' },
      { op: 'chdir', dir: 9, path: '' },
    ] satisfies Op[])
      assert.equal((await failureOf(inside(op))).code, 'EBADF', op.op);
  });

  test('a failed open leaves its slot empty', async () => {
    const failure = await failureOf(
      inside(
        { op: 'open', slot: 1, path: '/mnt', flags: 0 },
        { op: 'open', slot: 1, path: '/nonexistent', flags: 0, tolerate: ['ENOENT'] },
        { op: 'fchdir', slot: 1 },
      ),
    );
    assert.equal(failure.code, 'EBADF');
  });
});
