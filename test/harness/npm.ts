// Packages that only one test needs: installed into the test cache, not among the project's own dependencies.

import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from './cache.ts';
import { command } from './command.ts';

/** A folder whose node_modules holds the packages (`name@version`); undefined where they cannot be had. */
export async function npmPackages(name: string, packages: readonly string[]): Promise<string | undefined> {
  const target = join(cacheDir(), name);
  if (existsSync(target)) return target;
  mkdirSync(cacheDir(), { recursive: true });
  const work = mkdtempSync(join(cacheDir(), `${name}.part-`));
  try {
    writeFileSync(join(work, 'package.json'), '{"private":true}');
    const outcome = await command('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], {
      cwd: work,
      timeoutMs: 110_000,
    });
    if (outcome.code !== 0) return undefined;
    if (!existsSync(target)) renameSync(work, target);
    return target;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
