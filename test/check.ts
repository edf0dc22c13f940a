// `npm run check`: format, lint, layers and types, each also alone: `npm run check -- lint`.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { layerProblems } from './layers.ts';

const root = join(import.meta.dirname, '..');

function command(name: string, ...args: string[]): boolean {
  return spawnSync(join(root, 'node_modules/.bin', name), args, { cwd: root, stdio: 'inherit' }).status === 0;
}

const steps: Readonly<Record<string, () => boolean>> = {
  // Formatting is part of biome's check; warnings count.
  lint: () => command('biome', 'check', '--error-on-warnings', '.'),
  layers: () => {
    const problems = layerProblems(root);
    for (const problem of problems) console.error(problem);
    return problems.length === 0;
  },
  types: () => command('tsc', '-p', root),
};

/** Runs the named steps, or all; true when all hold. */
export function check(names: readonly string[] = Object.keys(steps)): boolean {
  let good = true;
  for (const name of names) {
    const step = steps[name];
    if (step === undefined) throw new Error(`no check called ${name}; there are ${Object.keys(steps).join(', ')}`);
    const started = performance.now();
    const passed = step();
    console.log(`check ${name}: ${passed ? 'ok' : 'FAILED'} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    good &&= passed;
  }
  return good;
}

if (import.meta.main) process.exit(check(process.argv.length > 2 ? process.argv.slice(2) : undefined) ? 0 : 1);
