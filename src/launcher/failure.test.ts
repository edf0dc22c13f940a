import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProgramError } from './failure.ts';

test('a launcher of other sources is told as such, not by the number of its refusal', () => {
  const error = new ProgramError([], { path: [], errno: 71, detail: '' });
  assert.match(error.message, /berth-shim was built from other sources/);
  assert.equal(error.code, 'EPROTO');
});
