import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeCopy } from './copy-placement.ts';

const file = { name: 'f', isDirectory: false, contentOnly: false };
const directory = { name: 'd', isDirectory: true, contentOnly: false };
const content = { ...directory, contentOnly: true };
const at = (path: string, kind: 'none' | 'file' | 'directory', mustBeDirectory = false) => ({
  path,
  exists: kind !== 'none',
  isDirectory: kind === 'directory',
  mustBeDirectory,
});

test('into a directory that is there', () => {
  assert.deepEqual(placeCopy(file, at('/t', 'directory')), { directory: '/t', name: 'f' });
  assert.deepEqual(placeCopy(directory, at('/t', 'directory')), { directory: '/t', name: 'd' });
  assert.deepEqual(placeCopy(content, at('/t', 'directory')), { directory: '/t', name: '' });
});

test('over a file', () => {
  assert.deepEqual(placeCopy(file, at('/t/x', 'file')), { directory: '/t', name: 'x' });
  assert.throws(() => placeCopy(directory, at('/t/x', 'file')), { message: 'cannot copy directory' });
});

test('to a name that is not there', () => {
  assert.deepEqual(placeCopy(file, at('/t/new', 'none')), { directory: '/t', name: 'new' });
  assert.deepEqual(placeCopy(directory, at('/t/new', 'none')), { directory: '/t', name: 'new' });
  assert.deepEqual(placeCopy(content, at('/t/new/', 'none', true)), { directory: '/t', name: 'new' });
  assert.throws(() => placeCopy(file, at('/t/new/', 'none', true)), { message: 'no such directory' });
});
