import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Files } from './files.ts';
import type { CopyAction, MkdirAction } from './protocol.ts';

const signal = new AbortController().signal;

interface Place extends Disposable {
  readonly base: string;
  readonly context: string;
}

/** A base with a few files, and a context. */
function place(): Place {
  const dir = mkdtempSync(join(tmpdir(), 'berth-files-'));
  const base = join(dir, 'base');
  const context = join(dir, 'context');
  mkdirSync(join(base, 'etc'), { recursive: true });
  mkdirSync(join(base, 'real/dir'), { recursive: true });
  symlinkSync('/real', join(base, 'link'));
  writeFileSync(join(base, 'etc/passwd'), 'app:x:7:8::/:/bin/sh\n');
  writeFileSync(join(base, 'etc/group'), 'staff:x:50:\n');
  mkdirSync(join(context, 'sub/deep'), { recursive: true });
  writeFileSync(join(context, 'a.txt'), 'alpha');
  writeFileSync(join(context, 'b.md'), 'beta');
  writeFileSync(join(context, 'sub/c.txt'), 'gamma');
  writeFileSync(join(context, 'sub/deep/d.txt'), 'delta');
  symlinkSync('a.txt', join(context, 'sub/up'));
  chmodSync(join(context, 'a.txt'), 0o640);
  for (const path of ['a.txt', 'b.md', 'sub/c.txt', 'sub/deep/d.txt', 'sub/deep', 'sub']) {
    chownSync(join(context, path), 1234, 1234);
    utimesSync(join(context, path), 1_700_000_000, 1_700_000_000);
  }
  return { base, context, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

const copy = (context: string, sources: string[], destination: string, more: Partial<CopyAction> = {}): CopyAction => ({
  action: 'copy',
  from: { layers: [context], context: true },
  sources,
  exclude: [],
  destination,
  parents: false,
  unpack: false,
  ...more,
});

/** The layer's archive as GNU tar lists it: type and mode, owner, size, name. */
async function layer(base: string, ...actions: (CopyAction | MkdirAction)[]): Promise<string[]> {
  await using files = new Files();
  const chunks: Uint8Array[] = [];
  await files.layer(
    { base: { layers: base === '' ? [] : [base], context: false }, actions, nowSec: 1_800_000_000 },
    async bytes => {
      chunks.push(Uint8Array.from(bytes));
    },
    signal,
  );
  return execFileSync('tar', ['--numeric-owner', '-tvf', '-'], {
    input: Buffer.concat(chunks),
    env: { TZ: 'UTC', PATH: process.env.PATH },
  })
    .toString()
    .split('\n')
    .filter(line => line !== '')
    .map(line => line.replace(/\s+/g, ' ').replace(/ \d{4}-\d\d-\d\d \d\d:\d\d/, ''));
}

test('a file goes where it is told, as root, with its mode and time', async () => {
  using p = place();
  assert.deepEqual(await layer(p.base, copy(p.context, ['/a.txt'], '/etc/new.txt')), ['-rw-r----- 0/0 5 etc/new.txt']);
  assert.deepEqual(await layer(p.base, copy(p.context, ['/a.txt'], '/etc')), ['-rw-r----- 0/0 5 etc/a.txt']);
  assert.deepEqual(await layer(p.base, copy(p.context, ['/a.txt'], '/new/dir/')), [
    'drwxr-xr-x 0/0 0 new/',
    'drwxr-xr-x 0/0 0 new/dir/',
    '-rw-r----- 0/0 5 new/dir/a.txt',
  ]);
});

test('a directory gives its contents; links in it stay links, links of the destination are followed', async () => {
  using p = place();
  assert.deepEqual(await layer(p.base, copy(p.context, ['/sub'], '/link/dir')), [
    '-rw-r--r-- 0/0 5 real/dir/c.txt',
    'drwxr-xr-x 0/0 0 real/dir/deep/',
    '-rw-r--r-- 0/0 5 real/dir/deep/d.txt',
    'lrwxrwxrwx 0/0 0 real/dir/up -> a.txt',
  ]);
});

test('wildcards, exclusions, owners and modes', async () => {
  using p = place();
  assert.deepEqual(
    await layer(p.base, copy(p.context, ['/*.txt', '/*.md'], '/x/', { chown: 'app:staff', chmod: 'g+w,o=r' })),
    ['drwxr-xr-x 7/50 0 x/', '-rw-rw-r-- 7/50 5 x/a.txt', '-rw-rw-r-- 7/50 4 x/b.md'],
  );
  assert.deepEqual(
    await layer(p.base, copy(p.context, ['/'], '/etc/', { exclude: ['**/*.txt', 'sub/up'], chown: 'app' })),
    ['-rw-r--r-- 7/8 4 etc/b.md', 'drwxr-xr-x 7/8 0 etc/sub/', 'drwxr-xr-x 7/8 0 etc/sub/deep/'],
  );
});

test('--parents keeps the directories of the source, from the pivot on', async () => {
  using p = place();
  assert.deepEqual(await layer(p.base, copy(p.context, ['/sub/deep/d.txt'], '/etc/', { parents: true })), [
    'drwxr-xr-x 0/0 0 etc/sub/',
    'drwxr-xr-x 0/0 0 etc/sub/deep/',
    '-rw-r--r-- 0/0 5 etc/sub/deep/d.txt',
  ]);
  assert.deepEqual(await layer(p.base, copy(p.context, ['/sub/./deep/d.txt'], '/etc/', { parents: true })), [
    'drwxr-xr-x 0/0 0 etc/deep/',
    '-rw-r--r-- 0/0 5 etc/deep/d.txt',
  ]);
});

test('WORKDIR makes what is missing, for its user', async () => {
  using p = place();
  assert.deepEqual(await layer(p.base, { action: 'mkdir', path: '/etc/a/b', mode: 0o755, user: 'app' }), [
    'drwxr-xr-x 7/8 0 etc/a/',
    'drwxr-xr-x 7/8 0 etc/a/b/',
  ]);
  assert.deepEqual(await layer(p.base, { action: 'mkdir', path: '/etc', mode: 0o755, user: '' }), []);
});

test('ADD unpacks an archive, and refuses one that leads outside', async () => {
  using p = place();
  execFileSync('tar', ['-C', p.context, '-czf', join(p.context, 'x.tgz'), 'sub/deep', 'a.txt']);
  assert.deepEqual(
    (await layer(p.base, copy(p.context, ['/x.tgz'], '/out', { unpack: true }))).map(line => line.split(' ').at(-1)),
    ['out/', 'out/sub/deep/', 'out/sub/deep/d.txt', 'out/a.txt'],
  );
  execFileSync('tar', [
    '-C',
    p.context,
    '-Pcf',
    join(p.context, 'evil.tar'),
    '--transform=s,a.txt,../../evil,',
    'a.txt',
  ]);
  await assert.rejects(layer(p.base, copy(p.context, ['/evil.tar'], '/out', { unpack: true })), /outside of the root/);
});

test('what is missing or cannot be is refused in words', async () => {
  using p = place();
  await assert.rejects(layer(p.base, copy(p.context, ['/nosuch'], '/x')), {
    code: 'NotFound',
    message: '"/nosuch": not found',
  });
  await assert.rejects(layer(p.base, copy(p.context, ['/*.nosuch'], '/x')), { code: 'NotFound' });
  await assert.rejects(
    layer(p.base, copy(p.context, ['/a.txt'], '/x', { chown: 'nobody' })),
    /can't find uid for user nobody/,
  );
  await assert.rejects(layer(p.base, copy(p.context, ['/sub'], '/etc/passwd')), /cannot copy to non-directory/);
});

test('a digest is that of the contents: times do not count, modes and bytes do', async () => {
  using p = place();
  await using files = new Files();
  const digest = (sources: string[], exclude: string[] = []): Promise<string> =>
    files.digest({ tree: { layers: [p.context], context: true }, sources, exclude }, signal);
  const before = await digest(['/sub']);
  utimesSync(join(p.context, 'sub/c.txt'), 1, 1);
  chownSync(join(p.context, 'sub/c.txt'), 5, 5);
  assert.equal(await digest(['/sub']), before);
  writeFileSync(join(p.context, 'a.txt'), 'changed');
  assert.equal(await digest(['/sub']), before, 'files that are not taken do not count');
  chmodSync(join(p.context, 'sub/c.txt'), 0o600);
  const after = await digest(['/sub']);
  assert.notEqual(after, before);
  assert.notEqual(await digest(['/sub'], ['c.txt']), after);
  await assert.rejects(digest(['/nosuch']), { code: 'NotFound' });
});
