// `npm test`: the checks, the tests beside the code, and those that need more than one part, with Node's test runner.
// `npm test -- src/network` runs the tests of one place, without the checks.

import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { check } from './check.ts';

const root = join(import.meta.dirname, '..');
const places = process.argv.slice(2);

if (places.length === 0) {
  if (!check()) process.exit(1);
  const built = spawnSync(process.execPath, ['build.ts'], { cwd: root, stdio: 'inherit' });
  if (built.status !== 0) process.exit(1);
}

const files = (places.length === 0 ? ['src', 'test'] : places)
  .flatMap(place => (place.endsWith('.ts') ? [place] : globSync(`${place}/**/*.test.ts`, { cwd: root })))
  .filter(file => existsSync(join(root, file)))
  .toSorted();

// Two files at once, for two cores; a test that waits longer than two minutes hangs.
const { status } = spawnSync(process.execPath, ['--test', '--test-concurrency=2', '--test-timeout=120000', ...files], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, NODE_NO_WARNINGS: '1' },
});
process.exit(status ?? 1);
