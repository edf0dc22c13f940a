import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { extractTar } from './extract.ts';
import { readTar } from './tar-reader.ts';
import { type TarEntry, tarEnd, tarFile, tarHeader, tarTree } from './tar-writer.ts';

const directory = mkdtempSync(`${tmpdir()}/berth-client-tar-`);
after(() => rmSync(directory, { recursive: true }));
let folders = 0;
const fresh = (): string => {
  const path = `${directory}/${folders++}`;
  mkdirSync(path);
  return path;
};

const entry = (name: string, type: TarEntry['type'], linkName = ''): Buffer =>
  tarHeader({ name, type, mode: 0o755, uid: 0, gid: 0, size: 0, mtimeMs: 0, linkName });

async function* pieces(bytes: Buffer, size = 100): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const extract = (root: string, ...parts: Buffer[]): Promise<void> =>
  extractTar(pieces(Buffer.concat([...parts, tarEnd])), root, { rename: name => name });

test('a tree comes back as it was', async () => {
  const from = fresh();
  mkdirSync(`${from}/d`);
  const long = `${'n'.repeat(120)}é`;
  writeFileSync(`${from}/d/${long}`, 'x'.repeat(1000), { mode: 0o640 });
  writeFileSync(`${from}/empty`, '');
  symlinkSync('d', `${from}/link`);
  const to = fresh();
  await extractTar(tarTree(from, { rename: 'top' }), to, { rename: name => name });
  assert.equal(readFileSync(`${to}/top/d/${long}`, 'utf8'), 'x'.repeat(1000));
  assert.equal(lstatSync(`${to}/top/d/${long}`).mode & 0o777, 0o640);
  assert.equal(readlinkSync(`${to}/top/link`), 'd');
  assert.equal(lstatSync(`${to}/top/empty`).size, 0);
});

test('what is refused is left out, and an exception within a refused directory comes in', async () => {
  const from = fresh();
  mkdirSync(`${from}/skip`);
  writeFileSync(`${from}/skip/a`, '');
  writeFileSync(`${from}/skip/keep`, '');
  writeFileSync(`${from}/b`, '');
  const names: string[] = [];
  const tree = tarTree(from, {
    rename: '',
    include: path => (path === 'skip' ? 'descend' : path !== 'skip/a'),
  });
  for await (const { name } of readTar(tree)) names.push(name);
  assert.deepEqual(names, ['b', 'skip/keep']);
});

for (const name of ['../out', 'a/../../out']) {
  test(`a name such as ${name} is refused`, async () => {
    const root = fresh();
    await assert.rejects(extract(root, tarFile(name, Buffer.from('x'))), { code: 'InvalidArgument' });
    assert.ok(!existsSync(`${root}/../out`));
  });
}

test('an absolute name stays inside', async () => {
  const root = fresh();
  await extract(root, tarFile('/etc/berth-test', Buffer.from('x')));
  assert.equal(readFileSync(`${root}/etc/berth-test`, 'utf8'), 'x');
});

test('a link of the archive is not followed by a later entry', async () => {
  const root = fresh();
  const outside = fresh();
  await assert.rejects(extract(root, entry('l', 'symlink', outside), tarFile('l/x', Buffer.from('x'))), {
    code: 'InvalidArgument',
  });
  assert.ok(!existsSync(`${outside}/x`));
});

test('a file in place of a link replaces the link, not what it leads to', async () => {
  const root = fresh();
  const outside = fresh();
  writeFileSync(`${outside}/t`, 'before');
  await extract(root, entry('l', 'symlink', `${outside}/t`), tarFile('l', Buffer.from('after')));
  assert.equal(readFileSync(`${outside}/t`, 'utf8'), 'before');
  assert.equal(readFileSync(`${root}/l`, 'utf8'), 'after');
});

test('a directory is not replaced by a file, nor a file by a directory', async () => {
  const root = fresh();
  mkdirSync(`${root}/d`);
  writeFileSync(`${root}/f`, '');
  await assert.rejects(extract(root, tarFile('d', Buffer.from('x'))), /cannot overwrite directory/);
  await assert.rejects(extract(root, entry('f/', 'directory')), /cannot overwrite non-directory/);
});

test('a stream that is cut off is an error', async () => {
  const root = fresh();
  const whole = tarFile('f', Buffer.alloc(5000, 1));
  await assert.rejects(extractTar(pieces(whole.subarray(0, 3000)), root, { rename: name => name }), {
    code: 'InvalidArgument',
  });
});
