import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TarEntry } from '../../containerd/index.ts';
import { contentDigest } from './content-digest.ts';
import { ContentIndex } from './content-index.ts';

const files: Readonly<Record<string, string>> = { 'a.txt': 'a', 'd/x.js': 'x', 'd/e/y.js': 'yy', 'd/e/z': '' };

function entry(path: string, type: TarEntry['type'], mode: number, linkName = ''): TarEntry {
  return {
    ...{ path, type, mode, linkName, uid: 7, gid: 7, size: 0, mtimeSec: 0, mtimeNsec: 0, devMajor: 0, devMinor: 0 },
    ...{ xattrs: undefined, sparse: undefined, userName: '', groupName: '' },
  };
}

test('an index of an archive gives the digests that its files give', () => {
  const root = mkdtempSync(join(tmpdir(), 'berth-index-'));
  try {
    chmodSync(root, 0o700);
    const index = new ContentIndex();
    for (const path of ['d', 'd/e']) {
      mkdirSync(join(root, path));
      chmodSync(join(root, path), 0o755);
      index.add(entry(`./${path}/`, 'directory', 0o755), '');
    }
    for (const [path, text] of Object.entries(files)) {
      writeFileSync(join(root, path), text);
      chmodSync(join(root, path), 0o640);
      index.add(entry(path, 'file', 0o640), createHash('sha256').update(text).digest('hex'));
    }
    symlinkSync('e/y.js', join(root, 'd/link'));
    index.add(entry('d/link', 'symlink', 0o777, 'e/y.js'), '');
    for (const [sources, exclude] of [
      [['/'], []],
      [['/d'], []],
      [['/a.txt', '/d/e'], []],
      [['/d/*.js'], []],
      [['/d'], ['**/*.js', '!e/y.js']],
    ] as const) {
      const walked = contentDigest(
        { kind: 'digest', tree: { layers: [root], context: true }, sources, exclude },
        { cancelled: false },
      );
      assert.equal(index.digest(sources, exclude), walked, JSON.stringify([sources, exclude]));
    }
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('what an index cannot know it does not answer', () => {
  const index = new ContentIndex();
  index.add(entry('real/f', 'file', 0o644), 'digest');
  index.add(entry('link', 'symlink', 0o777, 'real'), '');
  assert.equal(index.digest(['/link/f'], []), undefined);
  assert.equal(index.digest(['/gone'], []), undefined);
  assert.notEqual(index.digest(['/real/f'], []), undefined);
  index.add(entry('../out', 'file', 0o644), 'digest');
  assert.equal(index.digest(['/real/f'], []), undefined);
});
