import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { command } from '../harness/command.ts';
import { needsDockerCli as skip } from '../harness/skip.ts';

test('npm start shows a real answer from a container and leaves nothing behind', { skip }, async () => {
  const root = join(import.meta.dirname, '../..');
  const outcome = await command(join(root, 'bin/node'), ['examples/start.ts'], {
    cwd: root,
    env: { ...process.env, CI: '1' },
  });
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.match(outcome.stdout, /Hello from [0-9a-f]{12}, a container on Linux /);
  assert.match(outcome.stdout, /^total +\d+\.\d\d ms$/m);
  assert.deepEqual(globSync(join(tmpdir(), 'berth-start-*')), []);
});
