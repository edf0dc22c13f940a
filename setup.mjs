// Makes a clean clone ready to run: dependencies (with the pinned Node) and the native pieces. Plain JavaScript, since it runs on the
// system's Node 20 before anything of ours is there. Prints only what it has to do.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));

/** True where node_modules holds what the lockfile names. */
function installed() {
  const mark = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(mark)) return false;
  if (statSync(mark).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs) {
    const want = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
    const have = JSON.parse(readFileSync(mark, 'utf8')).packages;
    // Optional packages of other machines are in the lockfile only.
    return Object.entries(want).every(([path, p]) => path === '' || p.optional || have[path]?.version === p.version);
  }
  return true;
}

function run(command, args, what) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) {
    console.error(`setup: ${what} failed${error ? `: ${error.message}` : ''} (${command} ${args.join(' ')})`);
    process.exit(1);
  }
}

if (!installed()) {
  console.error('setup: installing dependencies (npm ci)');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'installing the dependencies');
}
run(process.execPath, [join(root, 'native/build.mjs')], 'building the native pieces');
