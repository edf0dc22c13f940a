// Debian's docker-registry for the tests: taken from the machine's own package sources, unpacked beside, never installed.

import { execFile } from 'node:child_process';
import { access, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../harness/cache.ts';

const run = promisify(execFile);

let registry: Promise<string> | undefined;

/** Path of a `docker-registry` binary, fetched on first use. Needs apt-get and dpkg-deb (Debian, Ubuntu). */
export function getRegistry(): Promise<string> {
  registry ??= getDebianBinary('docker-registry', 'usr/bin/docker-registry');
  return registry;
}

let skopeo: Promise<string> | undefined;

/** Path of skopeo, with the libraries that the machine lacks unpacked beside it: run it with `skopeoEnvironment(path)`. */
export function getSkopeo(): Promise<string> {
  skopeo ??= getDebianBinary('skopeo', 'usr/bin/skopeo', { libraries: true });
  return skopeo;
}

export function skopeoEnvironment(binary: string): NodeJS.ProcessEnv {
  const libraries = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map(name => join(binary, '../../lib', name));
  return { PATH: process.env.PATH, HOME: '/nonexistent', LD_LIBRARY_PATH: libraries.join(':') };
}

/** A file of a Debian package, unpacked into the test cache. Several processes may ask at once: the last rename wins or finds it there. */
export async function getDebianBinary(
  name: string,
  file: string,
  options: { libraries?: boolean } = {},
): Promise<string> {
  const cache = cacheDir();
  const target = join(cache, name);
  const binary = join(target, file);
  if (await exists(binary)) return binary;
  const work = await mkdtemp(join(cache, `${name}.part-`));
  try {
    await unpack(name, work, options.libraries ? 2 : 0);
    await rename(join(work, 'root'), target).catch(async err => {
      if (!(await exists(binary))) throw err;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return binary;
}

/** Unpacks a package into `work/root`, and those of the libraries that it depends on, so many steps deep, that are not installed. */
async function unpack(name: string, work: string, depth: number): Promise<void> {
  const directory = await mkdtemp(join(work, 'deb-'));
  await download(name, directory);
  const deb = (await readdir(directory)).find(entry => entry.endsWith('.deb'));
  if (deb === undefined) throw new Error(`apt-get download ${name} left no package`);
  await run('dpkg-deb', ['-x', join(directory, deb), join(work, 'root')]);
  if (depth === 0) return;
  const { stdout } = await run('dpkg-deb', ['-f', join(directory, deb), 'Depends']);
  const libraries = stdout.split(',').map(part => /^\s*([^\s(|:]+)/.exec(part)?.[1] ?? '');
  for (const library of libraries.filter(found => found.startsWith('lib'))) {
    if (!(await isInstalled(library))) await unpack(library, work, depth - 1);
  }
}

const isInstalled = (name: string): Promise<boolean> =>
  run('dpkg-query', ['-W', '-f', '${Status}', name]).then(
    ({ stdout }) => stdout.endsWith(' installed'),
    () => false,
  );

async function download(name: string, directory: string): Promise<void> {
  const get = () => run('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', name], { cwd: directory });
  try {
    await get();
  } catch {
    await run('apt-get', ['-q', 'update']); // a machine whose package lists were cleaned away
    await get();
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
