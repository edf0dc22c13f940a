import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { native } from '../../launcher/index.ts';
import { chainId, type Digest, mediaTypes } from '../../oci/index.ts';
import { type Containerd, openContainerd } from '../containerd.ts';
import { MergedView } from '../snapshots/overlay/merged-view.ts';
import { describeTree, sha256, snapshotFolders, type TestEntry, tarOf } from '../testing/archives.ts';
import type { UnpackLimits } from './apply/limits.ts';
import type { LayerPlace } from './unpacker.ts';

let root: string;
let containerd: Containerd;
const open = async (limits: Partial<UnpackLimits> = {}) => {
  containerd = await openContainerd({ root, workers: 2, limits });
};
beforeEach(async () => {
  root = mkdtempSync('/tmp/berth-unpack-');
  await open();
});
afterEach(async () => {
  await containerd.close();
  rmSync(root, { recursive: true });
});

type Below = readonly Digest[];

function placeOf(blob: Buffer, tar: Buffer, below: Below = []): LayerPlace {
  const diffId = sha256(tar) as Digest;
  return {
    descriptor: { mediaType: mediaTypes.ociLayer, digest: sha256(blob) as Digest, size: blob.length },
    diffId,
    chainId: chainId([...below, diffId]),
    ...(below.length > 0 && { parent: chainId(below) }),
  };
}

async function unpack(blob: Buffer, place: LayerPlace, step = 65536): Promise<void> {
  const writer = await containerd.unpacker.layer(place, { ref: `layer-${place.descriptor.digest}` });
  try {
    for (let at = writer.offset; at < blob.length; at += step) {
      await writer.write(new Uint8Array(blob.subarray(at, at + step)));
    }
  } catch (err) {
    await writer.close();
    throw err;
  }
  await writer.commit();
}

/** Unpacks a layer and answers its directory. */
async function layer(entries: readonly TestEntry[], below: Below = []): Promise<string> {
  const tar = tarOf(entries);
  const place = placeOf(tar, tar, below);
  await unpack(tar, place);
  return directoryOf(place.chainId);
}

async function directoryOf(chain: Digest): Promise<string> {
  const key = `look ${chain} ${Math.random()}`;
  const [mount] = await containerd.snapshotter.view(key, chain);
  await containerd.snapshotter.remove(key);
  return mount!.overlay?.lowerdirs[0] ?? mount!.source;
}

/** Nothing of a refused layer is left. */
async function assertNothingLeft(): Promise<void> {
  assert.deepEqual(await containerd.content.list(), []);
  assert.deepEqual(await containerd.content.listStatuses(), []);
  assert.deepEqual(await containerd.snapshotter.list(), []);
  assert.deepEqual(snapshotFolders(root), []);
}

const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);

const compressions: [string, (tar: Buffer) => Buffer][] = [
  ['plain', tar => tar],
  ['gzip', tar => gzipSync(tar)],
  ['gzip in two members', tar => Buffer.concat([gzipSync(tar.subarray(0, 5000)), gzipSync(tar.subarray(5000))])],
  ['zstd', tar => zstdCompressSync(tar)],
  ['zstd with a checksum', tar => zstdCompressSync(tar, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })],
  [
    'zstd in frames, some to be skipped',
    tar =>
      Buffer.concat([
        skippable,
        zstdCompressSync(tar.subarray(0, 100)),
        zstdCompressSync(tar.subarray(100, 70_000)),
        skippable,
        zstdCompressSync(tar.subarray(70_000)),
        skippable,
      ]),
  ],
];

for (const [name, compress] of compressions) {
  test(`a real tree unpacks as GNU tar unpacks it: ${name}`, async () => {
    const source = join(root, 'source');
    const expected = join(root, 'expected');
    execFileSync('sh', [
      '-ec',
      `mkdir -p ${source} ${expected}; cd /usr && cp -a --parents share/perl5/Debian share/doc/bash share/terminfo bin/perl* ${source} 2>/dev/null || true
      cd ${source}; chown 3000000:4000000 share; chmod 2755 share; ln -s /etc/passwd abs; mknod dev c 1 3; mkfifo fifo; chmod 4711 fifo; printf x > "$(printf 'lat\\351')"`,
    ]);
    native().lsetxattr(join(source, 'share'), 'user.note', Buffer.from([0, 1, 2, 255]), 0);
    const tar = execFileSync(
      'tar',
      ['-c', '--format=pax', '--xattrs', '--xattrs-include=*', '--numeric-owner', '-C', source, '.'],
      {
        maxBuffer: 1 << 28,
      },
    );
    execFileSync('tar', ['-xp', '--xattrs', '--xattrs-include=*', '--numeric-owner', '-C', expected], { input: tar });
    const blob = compress(tar);
    const place = placeOf(blob, tar);
    await unpack(blob, place, 10_007);
    assert.deepEqual(describeTree(await directoryOf(place.chainId)), describeTree(expected));
    assert.deepEqual(Buffer.from(await containerd.content.readBlob(place.descriptor.digest, 1 << 30)), blob);
    const usage = await containerd.snapshotter.usage(place.chainId);
    const du = Number(
      execFileSync('du', ['-s', '--block-size=1', await directoryOf(place.chainId)], { encoding: 'utf8' }).split(
        '\t',
      )[0],
    );
    assert.ok(Math.abs(usage.sizeBytes - du) <= du / 100, `${usage.sizeBytes} against du's ${du}`);
  });
}

test('whiteouts and opaque directories are in the form of overlayfs', async () => {
  const directory = await layer([
    { path: 'etc/' },
    { path: 'etc/.wh.gone' },
    { path: 'var/' },
    { path: 'var/.wh..wh..opq' },
    { path: 'var/new', data: 'x' },
    { path: '.wh..wh.aufs' },
    { path: '.wh..wh.plnk/12.34', data: 'x' },
  ]);
  const { statx, lgetxattr } = native();
  const gone = statx(-100, join(directory, 'etc/gone'), 0x100);
  assert.deepEqual([gone.mode & 0o170000, gone.rdevMajor, gone.rdevMinor], [0o020000, 0, 0]);
  assert.equal(lgetxattr(join(directory, 'var'), 'trusted.overlay.opaque')?.toString(), 'y');
  assert.deepEqual(readdirSync(directory).sort(), ['etc', 'var']);
});

test('a whiteout does not hide what its own layer has, before or after it', async () => {
  const directory = await layer([
    { path: 'a', data: '1' },
    { path: '.wh.a' },
    { path: '.wh.b' },
    { path: 'b', data: '2' },
    { path: '.wh.d' },
    { path: 'd/' },
    { path: 'e/x', data: '3' },
    { path: '.wh.e' },
  ]);
  const { lgetxattr } = native();
  assert.equal(readFileSync(join(directory, 'a'), 'utf8'), '1');
  assert.equal(readFileSync(join(directory, 'b'), 'utf8'), '2');
  assert.equal(readFileSync(join(directory, 'e/x'), 'utf8'), '3');
  for (const name of ['d', 'e'])
    assert.equal(lgetxattr(join(directory, name), 'trusted.overlay.opaque')?.toString(), 'y');
});

test('a later entry replaces an earlier one of the same name', async () => {
  const directory = await layer([
    { path: 'f', data: 'first' },
    { path: 'f', data: '2' },
    { path: 'd/x', data: 'x' },
    { path: 'd', data: 'file now' },
    { path: 'l', type: 'symlink', linkName: '/etc' },
    { path: 'l/', mode: 0o700 },
    { path: 'l/inside', data: 'y' },
    { path: 'k/', mode: 0o700 },
    { path: 'k/', mode: 0o750 },
  ]);
  assert.equal(readFileSync(join(directory, 'f'), 'utf8'), '2');
  assert.equal(readFileSync(join(directory, 'd'), 'utf8'), 'file now');
  assert.equal(readFileSync(join(directory, 'l/inside'), 'utf8'), 'y');
  assert.equal(native().statx(-100, join(directory, 'k'), 0).mode & 0o7777, 0o750);
});

test('links inside the root are taken as a process inside would', async () => {
  const directory = await layer([
    { path: 'usr/lib/' },
    { path: 'lib', type: 'symlink', linkName: 'usr/lib' },
    { path: 'lib/a', data: '1' },
    { path: 'abs', type: 'symlink', linkName: '/usr/lib' },
    { path: 'abs/b', data: '2' },
    { path: 'up', type: 'symlink', linkName: '../../../../usr/lib' },
    { path: 'up/c', data: '3' },
    { path: 'later', type: 'symlink', linkName: 'not/yet' },
    { path: 'later/d', data: '4' },
    { path: 'hard', type: 'hardlink', linkName: 'lib/a' },
  ]);
  assert.deepEqual(readdirSync(join(directory, 'usr/lib')).sort(), ['a', 'b', 'c']);
  assert.equal(readFileSync(join(directory, 'not/yet/d'), 'utf8'), '4');
  assert.equal(native().statx(-100, join(directory, 'hard'), 0).nlink, 2);
});

const secret = '/tmp/berth-unpack-outside';
const hostile: [string, readonly TestEntry[], RegExp, Partial<UnpackLimits>?][] = [
  ['a path with ..', [{ path: '../outside', data: 'x' }], /path "\.\.\/outside" is outside of the root/],
  ['a path with .. in the middle', [{ path: 'a/../../outside', data: 'x' }], /is outside of the root/],
  [
    'a hard link to ..',
    [{ path: 'l', type: 'hardlink', linkName: '../../etc/shadow' }],
    /hard link target .* is outside of the root/,
  ],
  [
    'a hard link to nothing',
    [{ path: 'l', type: 'hardlink', linkName: 'nothing' }],
    /hard link target "nothing" does not exist/,
  ],
  [
    'a hard link to a directory',
    [{ path: 'd/' }, { path: 'l', type: 'hardlink', linkName: 'd' }],
    /hard link to the directory "d"/,
  ],
  [
    'a file below a file',
    [
      { path: 'f', data: 'x' },
      { path: 'f/g', data: 'y' },
    ],
    /"f" is not a directory/,
  ],
  [
    'a loop of links',
    [
      { path: 'a', type: 'symlink', linkName: 'b' },
      { path: 'b', type: 'symlink', linkName: 'a' },
      { path: 'a/x', data: 'x' },
    ],
    /too many levels of symbolic links/,
  ],
  ['a link without a target', [{ path: 'a', type: 'symlink', linkName: '' }], /symbolic link without a target/],
  ['a root that is a file', [{ path: '.', type: 'file', data: 'x' }], /root is not a directory/],
  ['a whiteout of the parent', [{ path: 'a/.wh...', data: '' }], /invalid whiteout name/],
  ['a name that is too long', [{ path: 'n'.repeat(300), data: '' }], /name too long/i],
  [
    'too many entries',
    Array.from({ length: 20 }, (_, i) => ({ path: `f${i}` })),
    /more than 10 entries/,
    { maxEntries: 10 },
  ],
  [
    'too many devices',
    Array.from({ length: 5 }, (_, i) => ({ path: `d${i}`, type: 'char', devMajor: 1, devMinor: 3 }) as TestEntry),
    /more than 3 device nodes/,
    { maxDevices: 3 },
  ],
  [
    'too many bytes',
    [{ path: 'f', data: Buffer.alloc(200_000) }],
    /unpacks to more than 100000 bytes/,
    { maxBytes: 100_000 },
  ],
];

for (const [what, entries, message, limits] of hostile) {
  test(`refused, and nothing left: ${what}`, async () => {
    if (limits !== undefined) {
      await containerd.close();
      await open(limits);
    }
    const tar = tarOf(entries);
    await assert.rejects(unpack(tar, placeOf(tar, tar)), { message });
    await assertNothingLeft();
    assert.equal(existsSync(secret), false);
  });
}

test('a decompression bomb is stopped by the ratio', async () => {
  await containerd.close();
  await open({ maxRatio: 100 });
  const tar = tarOf([{ path: 'zeros', data: Buffer.alloc(100 << 20) }]);
  const blob = gzipSync(tar, { level: 9 });
  await assert.rejects(unpack(blob, placeOf(blob, tar)), {
    code: 'ResourceExhausted',
    message: /more than 100 times its size/,
  });
  await assertNothingLeft();
});

test('a link to the outside is kept as it is, and never followed', async () => {
  mkdirSync(secret, { recursive: true });
  try {
    const directory = await layer([
      { path: 'out', type: 'symlink', linkName: secret },
      { path: 'out/file', data: 'x' },
      { path: 'out', type: 'symlink', linkName: secret },
      { path: 'f', type: 'symlink', linkName: `${secret}/made` },
      { path: 'f', data: 'y' },
    ]);
    assert.deepEqual(readdirSync(secret), []);
    assert.equal(readFileSync(join(directory, secret, 'file'), 'utf8'), 'x');
    assert.equal(readFileSync(join(directory, 'f'), 'utf8'), 'y');
  } finally {
    rmSync(secret, { recursive: true });
  }
});

test("overlayfs' own xattrs in an archive are not set", async () => {
  const directory = await layer([
    {
      path: 'd/',
      xattrs: new Map([
        ['trusted.overlay.opaque', Buffer.from('y')],
        ['user.kept', Buffer.from('1')],
      ]),
    },
    { path: 'f', xattrs: new Map([['trusted.overlay.redirect', Buffer.from('/etc')]]), data: 'x' },
  ]);
  assert.deepEqual(native().llistxattr(join(directory, 'd')), ['user.kept']);
  assert.deepEqual(native().llistxattr(join(directory, 'f')), []);
});

test('a truncated, a damaged and a false layer are refused, and nothing is left', async () => {
  const tar = tarOf([{ path: 'f', data: 'x'.repeat(100_000) }]);
  const blob = gzipSync(tar);
  const cut = blob.subarray(0, blob.length - 20);
  const cases: [string, Buffer, LayerPlace, string][] = [
    ['shorter than it should be', cut, placeOf(blob, tar), 'DataLoss'],
    ['cut, with a digest to match', cut, placeOf(cut, tar), 'InvalidArgument'],
    ['another diff id', blob, { ...placeOf(blob, tar), diffId: sha256(Buffer.from('y')) as Digest }, 'DataLoss'],
    [
      'not a tar',
      gzipSync('hello '.repeat(200)),
      placeOf(gzipSync('hello '.repeat(200)), Buffer.from('')),
      'InvalidArgument',
    ],
    [
      'half a header of xz',
      Buffer.from('fd377a585a000000', 'hex'),
      placeOf(Buffer.from('fd377a585a000000', 'hex'), tar),
      'InvalidArgument',
    ],
    [
      'bzip2',
      Buffer.from('425a683931415926', 'hex'),
      placeOf(Buffer.from('425a683931415926', 'hex'), tar),
      'NotImplemented',
    ],
  ];
  for (const [what, bytes, place, code] of cases) {
    await assert.rejects(unpack(bytes, place), { code }, what);
    await assertNothingLeft();
  }
});

test('an interrupted layer resumes, also in another process', async () => {
  const tar = tarOf(
    Array.from({ length: 200 }, (_, i) => ({ path: `d${i % 7}/f${i}`, data: randomBytes(500).toString('hex') })),
  );
  const blob = gzipSync(tar);
  const place = placeOf(blob, tar);
  const writer = await containerd.unpacker.layer(place, { ref: `layer-${place.descriptor.digest}` });
  await writer.write(new Uint8Array(blob.subarray(0, 5000)));
  await writer.close();
  assert.deepEqual(snapshotFolders(root), []);
  await containerd.close();
  await open();
  const again = await containerd.unpacker.layer(place, { ref: `layer-${place.descriptor.digest}` });
  assert.equal(again.offset, 5000);
  await again.write(new Uint8Array(blob.subarray(5000)));
  await again.commit();
  const directory = await directoryOf(place.chainId);
  assert.equal(readFileSync(join(directory, 'd1/f197'), 'utf8').length, 1000);
});

test('a blob that is there is unpacked without its bytes coming again', async () => {
  const tar = tarOf([{ path: 'f', data: 'x' }]);
  const place = placeOf(tar, tar);
  const content = await containerd.content.writer({ ref: 'blob', expected: place.descriptor });
  await content.write(new Uint8Array(tar));
  await content.commit();
  const writer = await containerd.unpacker.layer(place, { ref: 'layer' });
  assert.equal(writer.offset, tar.length);
  await writer.commit();
  assert.ok(await containerd.unpacker.exists(place.chainId));
  await assert.rejects(containerd.unpacker.layer(place, { ref: 'layer' }), { code: 'AlreadyExists' });
});

test('layers commit in order, whatever order they are unpacked in', async () => {
  const tars = ['a', 'b', 'c'].map(name => tarOf([{ path: name, data: name }]));
  const diffIds = tars.map(tar => sha256(tar) as Digest);
  const places = tars.map((tar, i) => placeOf(tar, tar, diffIds.slice(0, i)));
  const done: number[] = [];
  const upper = [2, 1].map(i => unpack(tars[i]!, places[i]!).then(() => done.push(i)));
  await new Promise(resolve => setTimeout(resolve, 100));
  assert.deepEqual(done, []);
  await unpack(tars[0]!, places[0]!);
  await Promise.all(upper);
  assert.deepEqual(done, [1, 2]);
});

test('who waits for a layer below is told when it is given up', async () => {
  const tar = tarOf([{ path: 'a', data: 'a' }]);
  const stop = new AbortController();
  const place = placeOf(tar, tar, [sha256(Buffer.from('never')) as Digest]);
  const writer = await containerd.unpacker.layer(place, { ref: 'layer', signal: stop.signal });
  await writer.write(new Uint8Array(tar));
  const committed = writer.commit();
  await new Promise(resolve => setTimeout(resolve, 50));
  stop.abort();
  await assert.rejects(committed, { code: 'Canceled' });
  assert.deepEqual(await containerd.snapshotter.list(), []);
});

test('what an archive leaves to the layers below is taken from there', async () => {
  const base = tarOf([
    {
      path: 'srv/',
      mode: 0o1750,
      uid: 7,
      gid: 8,
      mtimeSec: 1000,
      mtimeNsec: 5,
      xattrs: new Map([['user.a', Buffer.from('1')]]),
    },
    { path: 'srv/deep/', mode: 0o711, mtimeSec: 2000 },
    { path: 'usr/lib/', mtimeSec: 3000 },
    { path: 'lib', type: 'symlink', linkName: 'usr/lib' },
    { path: 'usr/bin/tool', data: 'tool', mode: 0o4755, uid: 9, mtimeSec: 4000 },
    { path: './', mode: 0o700, mtimeSec: 5000 },
  ]);
  const below = [sha256(base) as Digest];
  await unpack(base, placeOf(base, base));
  const directory = await layer(
    [
      { path: 'srv/deep/new', data: 'x' },
      { path: 'lib/added', data: 'y' },
      { path: 'lib/sub/more', data: 'z' },
      { path: 'usr/bin/alias', type: 'hardlink', linkName: 'usr/bin/tool' },
    ],
    below,
  );
  const stat = (path: string) => native().statx(-100, join(directory, path), 0x100);
  const srv = stat('srv');
  assert.deepEqual([srv.mode & 0o7777, srv.uid, srv.gid, srv.mtimeSec, srv.mtimeNsec], [0o1750, 7, 8, 1000, 5]);
  assert.equal(native().lgetxattr(join(directory, 'srv'), 'user.a')?.toString(), '1');
  assert.deepEqual([stat('srv/deep').mode & 0o7777, stat('srv/deep').mtimeSec], [0o711, 2000]);
  assert.deepEqual([stat('').mode & 0o7777, stat('').mtimeSec], [0o700, 5000]);
  assert.equal(existsSync(join(directory, 'lib')), false, 'the link below stays');
  assert.equal(readFileSync(join(directory, 'usr/lib/added'), 'utf8'), 'y');
  assert.equal(readFileSync(join(directory, 'usr/lib/sub/more'), 'utf8'), 'z');
  const alias = stat('usr/bin/alias');
  assert.deepEqual([alias.nlink, alias.mode & 0o7777, alias.uid, alias.mtimeSec], [2, 0o4755, 9, 4000]);
  assert.equal(readFileSync(join(directory, 'usr/bin/alias'), 'utf8'), 'tool');
});

test('a merged view shows layers as overlayfs does, and never the host', async () => {
  const one = tarOf([
    { path: 'a', data: 'low' },
    { path: 'd/x', data: 'x' },
    { path: 'd/y', data: 'y' },
    { path: 'e/old', data: 'old' },
    { path: 'passwd', type: 'symlink', linkName: '/etc/passwd' },
    { path: 'etc/passwd', data: 'inside' },
    { path: 'out', type: 'symlink', linkName: '../../../../etc/hostname' },
    { path: 'loop', type: 'symlink', linkName: 'loop' },
  ]);
  const below = [sha256(one) as Digest];
  await unpack(one, placeOf(one, one));
  const two = await layer(
    [{ path: 'd/.wh.x' }, { path: 'e/.wh..wh..opq' }, { path: 'e/new', data: 'new' }, { path: 'a', data: 'high' }],
    below,
  );
  using view = new MergedView([two, await directoryOf(chainId(below))]);
  const read = (path: string) => readFileSync(view.openFile(path), 'utf8');
  assert.equal(read('a'), 'high');
  assert.equal(view.lookup('d/x'), undefined);
  assert.equal(read('d/y'), 'y');
  assert.equal(view.lookup('e/old'), undefined);
  assert.equal(read('/passwd'), 'inside');
  assert.throws(() => read('out'), { code: 'NotFound' });
  assert.throws(() => read('loop'), { code: 'InvalidArgument' });
  writeFileSync(join(root, 'unrelated'), '');
});
