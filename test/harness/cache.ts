import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where tests keep what is dear to make and safe to reuse (packages, images): BERTH_TEST_CACHE, default build/test-cache. */
export function cacheDir(): string {
  const dir = process.env.BERTH_TEST_CACHE ?? join(import.meta.dirname, '../../build/test-cache');
  mkdirSync(dir, { recursive: true });
  return dir;
}
