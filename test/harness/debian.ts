// Packages of Debian that tests need and the machine lacks: taken from its own package mirror, unpacked beside, never installed.

import { execFile } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from './cache.ts';

const run = promisify(execFile);

/** Unpacks packages into one root, which is kept under `name`; undefined where they cannot be had. `testing` takes them from Debian testing. */
export async function unpackDebian(
  name: string,
  packages: readonly string[],
  suite?: 'testing',
): Promise<string | undefined> {
  const target = join(cacheDir(), name);
  if (existsSync(target)) return target;
  const work = mkdtempSync(join(cacheDir(), `${name}.part-`));
  try {
    const apt = suite === undefined ? [] : aptOfTesting(work);
    const download = () =>
      run('apt-get', [...apt, '-q', '-o', 'APT::Sandbox::User=root', 'download', ...packages], { cwd: work });
    if (suite !== undefined) await run('apt-get', [...apt, '-q', 'update']);
    // A machine's package lists may have been cleaned away.
    await download().catch(() => run('apt-get', ['-q', 'update']).then(download));
    for (const deb of readdirSync(work).filter(file => file.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', join(work, deb), join(work, 'root')]);
    }
    if (!existsSync(target)) renameSync(join(work, 'root'), target);
    return target;
  } catch {
    return existsSync(target) ? target : undefined;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Options that make apt see Debian testing on this machine's mirror, and nothing of this machine's own state. */
function aptOfTesting(work: string): string[] {
  const sources = ['/etc/apt/sources.list', ...globSync('/etc/apt/sources.list.d/*')].filter(existsSync);
  const mirror = sources
    .map(file => /https?:\/\/\S+\/debian\/?(?=\s|$)/m.exec(readFileSync(file, 'utf8'))?.[0])
    .find(Boolean);
  if (mirror === undefined) throw new Error('no Debian mirror in the apt sources of this machine');
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(join(work, 'sources.list'), `deb [signed-by=${keys}] ${mirror} testing main\n`);
  for (const dir of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(work, dir), { recursive: true });
  return [
    `Dir::Etc::SourceList=${join(work, 'sources.list')}`,
    'Dir::Etc::SourceParts=-',
    `Dir::State::Lists=${join(work, 'lists')}`,
    `Dir::Cache=${join(work, 'cache')}`,
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
  ].flatMap(option => ['-o', option]);
}
