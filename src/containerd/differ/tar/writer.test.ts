import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { encodeHeader, endOfArchive, type NewEntry, paddingOf } from './writer.ts';

function archive(entries: readonly [NewEntry, string?][]): Buffer {
  return Buffer.concat([
    ...entries.flatMap(([entry, data = '']) => [
      encodeHeader({ ...entry, size: data.length }),
      Buffer.from(data),
      Buffer.alloc(paddingOf(data.length)),
    ]),
    endOfArchive,
  ]);
}

const list = (bytes: Buffer): string[] =>
  execFileSync('tar', ['--numeric-owner', '--full-time', '-tvf', '-'], {
    input: bytes,
    env: { TZ: 'UTC', LC_ALL: 'C.UTF-8', PATH: process.env.PATH },
  })
    .toString()
    .trim()
    .split('\n')
    .map(line => line.replace(/\s+/g, ' '));

test('GNU tar reads every kind of entry', () => {
  const entries: [NewEntry, string?][] = [
    [{ type: 'directory', path: 'd', mode: 0o755 }],
    [{ type: 'file', path: 'd/f', mode: 0o4755, uid: 1000, gid: 10, mtimeSec: 1_700_000_000 }, 'hello'],
    [{ type: 'symlink', path: 'd/l', mode: 0o777, linkName: 'f' }],
    [{ type: 'hardlink', path: 'd/h', mode: 0o644, linkName: 'd/f' }],
    [{ type: 'char', path: 'd/c', mode: 0o666, devMajor: 1, devMinor: 3 }],
    [{ type: 'fifo', path: 'd/p', mode: 0o600 }],
  ];
  assert.deepEqual(list(archive(entries)), [
    'drwxr-xr-x 0/0 0 1970-01-01 00:00:00 d/',
    '-rwsr-xr-x 1000/10 5 2023-11-14 22:13:20 d/f',
    'lrwxrwxrwx 0/0 0 1970-01-01 00:00:00 d/l -> f',
    'hrw-r--r-- 0/0 0 1970-01-01 00:00:00 d/h link to d/f',
    'crw-rw-rw- 0/0 1,3 1970-01-01 00:00:00 d/c',
    'prw------- 0/0 0 1970-01-01 00:00:00 d/p',
  ]);
});

test('what a ustar header cannot hold goes into PAX records', () => {
  const long = `${'a'.repeat(90)}/${'b'.repeat(200)}`;
  const entries: [NewEntry, string?][] = [
    [{ type: 'file', path: long, mode: 0o644, uid: 3_000_000, mtimeSec: 1_700_000_000, mtimeNsec: 5 }, 'x'],
    [{ type: 'file', path: 'ümläut', mode: 0o644 }, 'y'],
    [{ type: 'symlink', path: 'l', mode: 0o777, linkName: 'c'.repeat(150) }],
    [{ type: 'file', path: `${'p'.repeat(120)}/${'n'.repeat(90)}`, mode: 0o644 }],
  ];
  assert.deepEqual(list(archive(entries)), [
    `-rw-r--r-- 3000000/0 1 2023-11-14 22:13:20.000000005 ${long}`,
    '-rw-r--r-- 0/0 1 1970-01-01 00:00:00 ümläut',
    `lrwxrwxrwx 0/0 0 1970-01-01 00:00:00 l -> ${'c'.repeat(150)}`,
    `-rw-r--r-- 0/0 0 1970-01-01 00:00:00 ${'p'.repeat(120)}/${'n'.repeat(90)}`,
  ]);
});
