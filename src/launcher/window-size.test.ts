import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { test } from 'node:test';
import { native } from './native.ts';

test('a terminal is told its size', () => {
  const master = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY);
  try {
    native().setWindowSize(master, 41, 123);
    assert.equal(execFileSync('stty', ['size'], { stdio: [master, 'pipe', 'inherit'] }).toString(), '41 123\n');
  } finally {
    closeSync(master);
  }
});
