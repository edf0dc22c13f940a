// Builds the native pieces into build/: berth.node (the addon), berth-shim and berth-init (static programs).
//
//     node native/build.mjs [--force]
//
// npm runs it after an install, on whatever Node the user has; so it is plain JavaScript. Quick when nothing changed: each output
// has beside it the hash of its sources and command.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = dirname(fileURLToPath(import.meta.url));
const build = join(native, '..', 'build');
const force = process.argv.includes('--force');

function fail(message) {
  console.error(`berth: ${message}`);
  process.exit(1);
}

function has(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined;
}

function files(folder, ending) {
  return readdirSync(join(native, folder))
    .filter(name => name.endsWith(ending))
    .sort()
    .map(name => join(native, folder, name));
}

function nodeApiHeaders() {
  try {
    return createRequire(import.meta.url)('node-api-headers').include_dir;
  } catch (error) {
    fail(`the package node-api-headers is missing, run 'npm install' first (${error.message.split('\n')[0]})`);
  }
}

/** Runs `command` when its sources, or the command itself, changed since the output was made. */
function make(output, folder, command) {
  const sources = files(folder, '.c');
  const hash = createHash('sha256').update(JSON.stringify(command));
  for (const file of [...sources, ...files(folder, '.h')]) hash.update(file).update(readFileSync(file));
  const digest = hash.digest('hex');
  const target = join(build, output);
  const mark = `${target}.hash`;
  if (!force && existsSync(target) && existsSync(mark) && readFileSync(mark, 'utf8') === digest) return;
  // Made aside and renamed: whoever starts the old one meanwhile still finds a whole file.
  const fresh = `${target}.${process.pid}`;
  const run = spawnSync(command[0], [...command.slice(1), '-o', fresh, ...sources], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (run.status !== 0) {
    rmSync(fresh, { force: true });
    fail(`${command[0]} could not build ${output}${run.error ? `: ${run.error.message}` : ''}`);
  }
  renameSync(fresh, target);
  writeFileSync(mark, digest);
}

if (process.platform !== 'linux') fail(`only Linux is supported, this is ${process.platform}`);
const compiler = [process.env.CC, 'cc', 'gcc', 'clang'].find(name => name && has(name));
if (!compiler)
  fail("no C compiler found: install one (Debian: 'apt-get install gcc libc6-dev', Alpine: 'apk add build-base')");
// musl makes the smaller program: about 30 KB less memory for every container.
const staticCompiler = has('musl-gcc') ? 'musl-gcc' : compiler;
mkdirSync(build, { recursive: true });

const common = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror'];
const program = [
  staticCompiler,
  ...common,
  '-static',
  '-s',
  '-ffunction-sections',
  '-fdata-sections',
  '-fno-asynchronous-unwind-tables',
  '-Wl,--gc-sections',
  '-Wl,-z,norelro',
  '-Wl,--build-id=none',
];
make('berth.node', 'addon', [compiler, ...common, '-shared', '-fPIC', '-I', nodeApiHeaders()]);
make('berth-init', 'init', program);
make('berth-shim', 'shim', program);
