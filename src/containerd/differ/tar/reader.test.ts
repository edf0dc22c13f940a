import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { tarOf } from '../../testing/archives.ts';
import type { TarEntry } from './entry.ts';
import { decodeName, encodeName } from './name.ts';
import { TarReader } from './reader.ts';

interface Read {
  readonly entry: TarEntry;
  readonly data: Buffer;
}

/** Reads an archive cut into chunks of `step` bytes. */
function readTar(archive: Buffer, step = archive.length): Read[] {
  const found: Read[] = [];
  let entry: TarEntry;
  let data: Buffer;
  const reader = new TarReader({
    entry: next => {
      entry = next;
      data = Buffer.alloc(Math.min(next.size, 1 << 20));
    },
    data: (bytes, offset) => void bytes.copy(data, offset),
    end: () => void found.push({ entry, data }),
  });
  for (let at = 0; at < archive.length; at += step) reader.write(archive.subarray(at, at + step));
  reader.end();
  return found;
}

function gnuTar(t: TestContext, script: string, options: readonly string[]): Buffer {
  const folder = mkdtempSync('/tmp/berth-tar-');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  execFileSync('sh', ['-ec', script], { cwd: folder });
  const archive = join(folder, '..', `${folder.split('/').at(-1)}.tar`);
  t.after(() => rmSync(archive, { force: true }));
  return execFileSync('tar', ['-c', ...options, '-C', folder, '.'], { maxBuffer: 1 << 26 });
}

const longName = `${'d'.repeat(120)}/${'f'.repeat(130)}`;

for (const format of ['v7', 'ustar', 'gnu', 'pax', 'oldgnu'] as const) {
  test(`reads what GNU tar writes as ${format}`, t => {
    const script = `mkdir -p a; printf hello > a/file; chmod 4755 a/file; ln -s file a/link; ln a/file a/hard; touch -d '2001-02-03 04:05:06.123456789 UTC' a/file
      ${format === 'v7' ? '' : 'mkfifo a/fifo; mknod a/null c 1 3'}
      ${format === 'gnu' || format === 'pax' ? `mkdir -p ${'d'.repeat(120)}; printf long > ${longName}` : ''}`;
    const owner = format === 'gnu' || format === 'pax' ? '3000000' : '1000';
    const archive = gnuTar(t, script, [`--format=${format}`, `--owner=u:${owner}`, '--group=g:7', '--sort=name']);
    for (const step of [archive.length, 512, 511, 1, 10_007]) {
      const found = readTar(archive, step);
      const byPath = new Map(found.map(read => [read.entry.path, read]));
      const file = byPath.get('./a/file')!;
      assert.deepEqual([file.entry.type, file.entry.mode, file.data.toString()], ['file', 0o4755, 'hello']);
      assert.deepEqual([file.entry.uid, file.entry.gid], [Number(owner), 7]);
      assert.equal(file.entry.mtimeSec, 981173106);
      assert.equal(file.entry.mtimeNsec, format === 'pax' ? 123456789 : 0);
      assert.deepEqual(
        [byPath.get('./a/link')!.entry.type, byPath.get('./a/link')!.entry.linkName],
        ['symlink', 'file'],
      );
      const hard = byPath.get('./a/hard')!.entry;
      assert.deepEqual([hard.type, hard.linkName, hard.size], ['hardlink', './a/file', 0]);
      assert.equal(byPath.get('./a/')!.entry.type, 'directory');
      if (format !== 'v7') {
        const { type, devMajor, devMinor } = byPath.get('./a/null')!.entry;
        assert.deepEqual([type, devMajor, devMinor], ['char', 1, 3]);
        assert.equal(byPath.get('./a/fifo')!.entry.type, 'fifo');
      }
      if (format === 'gnu' || format === 'pax') {
        assert.equal(byPath.get(`./${longName}`)!.data.toString(), 'long');
      }
    }
  });
}

for (const options of [
  ['--format=gnu'],
  ['--format=pax', '--sparse-version=0.0'],
  ['--format=pax', '--sparse-version=0.1'],
  ['--format=pax', '--sparse-version=1.0'],
]) {
  test(`reads sparse files as ${options.join(' ')}`, t => {
    const pieces = Array.from(
      { length: 40 },
      (_, i) => `printf piece${i} | dd of=sparse bs=1 seek=${i * 16384} conv=notrunc status=none`,
    );
    const archive = gnuTar(t, [...pieces, 'truncate -s 700000 sparse'].join('\n'), ['-S', ...options]);
    for (const step of [archive.length, 512, 333]) {
      const { entry, data } = readTar(archive, step).find(read => read.entry.path.endsWith('sparse'))!;
      assert.equal(entry.type, 'file');
      assert.equal(entry.path, './sparse');
      assert.equal(entry.size, 700000);
      assert.ok(entry.sparse !== undefined);
      for (let i = 0; i < 40; i++)
        assert.equal(data.toString('utf8', i * 16384, i * 16384 + 6), `piece${i}`.slice(0, 6));
    }
  });
}

test('PAX xattrs are bytes', () => {
  const value = Buffer.from([1, 0, 0, 2, 0x0a, 0xff, 0x3d]);
  const archive = tarOf([{ path: 'f', xattrs: new Map([['security.capability', value]]), uid: 4_000_000_000 }]);
  const [read] = readTar(archive, 100);
  assert.deepEqual(Buffer.from(read!.entry.xattrs!.get('security.capability')!), value);
  assert.equal(read!.entry.uid, 4_000_000_000);
});

test('times before 1970 and with fractions are exact', () => {
  for (const [sec, nsec] of [
    [-1, 500_000_000],
    [-86400, 0],
    [2 ** 33, 1],
  ] as const) {
    const [read] = readTar(tarOf([{ path: 'f', mtimeSec: sec, mtimeNsec: nsec }]));
    assert.deepEqual([read!.entry.mtimeSec, read!.entry.mtimeNsec], [sec, nsec]);
  }
});

test('names that are not UTF-8 come back as the bytes they were', () => {
  for (const bytes of [
    Buffer.from([0x66, 0xe9, 0x2e, 0x80]),
    Buffer.from('grüße'),
    Buffer.from([0xff, 0xfe]),
    Buffer.concat([Buffer.from('ü'), Buffer.from([0xc3])]),
  ]) {
    assert.deepEqual(Buffer.from(encodeName(decodeName(bytes)) as string), bytes);
  }
});

const truncations: [string, (archive: Buffer) => Buffer][] = [
  ['in a header', archive => archive.subarray(0, 300)],
  ['in the data', archive => archive.subarray(0, 512 + 100)],
  ['in the padding', archive => archive.subarray(0, 512 + 1001)],
  ['after an extended header', archive => archive.subarray(0, 1024)],
];

for (const [where, cut] of truncations) {
  test(`an archive that ends ${where} is refused`, () => {
    const long = where.startsWith('after');
    const archive = tarOf([{ path: long ? 'x'.repeat(300) : 'f', data: 'd'.repeat(1001) }]);
    assert.throws(() => readTar(cut(archive)), { code: 'InvalidArgument', message: /unexpected EOF/ });
  });
}

test('an archive without its end marker is fine', () => {
  assert.equal(readTar(tarOf([{ path: 'f', data: 'x' }]).subarray(0, 1024)).length, 1);
  assert.deepEqual(readTar(Buffer.alloc(0)), []);
});

const damages: [string, (archive: Buffer) => void, RegExp][] = [
  ['checksum', archive => void archive.write('9', 0), /checksum/],
  ['number', archive => rewrite(archive, () => archive.write('zzz', 124)), /size is not a number/],
  ['size', archive => rewrite(archive, () => archive.fill(0xff, 124, 136)), /negative size/],
  ['huge size', archive => rewrite(archive, () => archive.fill(0x7f, 125, 136).fill(0x80, 124, 125)), /out of range/],
];

function rewrite(archive: Buffer, change: () => void): void {
  change();
  archive.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of archive.subarray(0, 512)) sum += byte;
  archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

for (const [what, damage, message] of damages) {
  test(`a wrong ${what} is refused`, () => {
    const archive = tarOf([{ path: 'f', data: 'x' }]);
    damage(archive);
    assert.throws(() => readTar(archive), { code: 'InvalidArgument', message });
  });
}

test('malformed PAX records are refused', () => {
  for (const body of ['5 a=b', '999 a=b\n', 'x a=b\n', '4 a=\n\n', '6 =ab\n', '0 a=b\n']) {
    const archive = tarOf([{ path: 'x', data: body }]);
    rewrite(archive, () => archive.write('x', 156));
    assert.throws(() => readTar(archive), { code: 'InvalidArgument' }, JSON.stringify(body));
  }
});

test('any bytes end in entries or in InvalidArgument, however they are cut', () => {
  const good = tarOf([
    { path: 'dir/', mode: 0o700 },
    { path: `dir/${'n'.repeat(200)}`, data: 'x'.repeat(600), xattrs: new Map([['user.a', Buffer.from('b')]]) },
    { path: 'l', type: 'symlink', linkName: 'dir' },
  ]);
  let seed = 42;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return seed % below;
  };
  for (let round = 0; round < 3000; round++) {
    const bytes = Buffer.from(good);
    for (let i = 0; i <= random(4); i++) bytes[random(bytes.length)] = random(256);
    try {
      readTar(bytes, 1 + random(2000));
    } catch (err) {
      assert.equal((err as { code?: string }).code, 'InvalidArgument', String((err as Error).stack));
    }
  }
});
