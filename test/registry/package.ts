// Debian's docker-registry for the tests: taken from the machine's own package sources, unpacked beside, never installed.

import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const cacheRoot = process.env.BERTH_TEST_CACHE ?? join(import.meta.dirname, '../../build/test-cache');

let registry: Promise<string> | undefined;

/** Path of a `docker-registry` binary, fetched on first use. Needs apt-get and dpkg-deb (Debian, Ubuntu). */
export function getRegistry(): Promise<string> {
  registry ??= getDebianBinary('docker-registry', 'usr/bin/docker-registry');
  return registry;
}

/** A file of a Debian package, unpacked into the test cache. Several processes may ask at once: the last rename wins or finds it there. */
export async function getDebianBinary(name: string, file: string): Promise<string> {
  const target = join(cacheRoot, name);
  const binary = join(target, file);
  if (await exists(binary)) return binary;
  await mkdir(cacheRoot, { recursive: true });
  const work = await mkdtemp(join(cacheRoot, `${name}.part-`));
  try {
    await download(name, work);
    const deb = (await readdir(work)).find(entry => entry.endsWith('.deb'));
    if (deb === undefined) throw new Error(`apt-get download ${name} left no package`);
    await run('dpkg-deb', ['-x', join(work, deb), join(work, 'root')]);
    await rename(join(work, 'root'), target).catch(async err => {
      if (!(await exists(binary))) throw err;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return binary;
}

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
