// The cases of cases.ts on our engine, by both doors, held against what the real BuildKit made of them (record.ts).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Engine, startEngine } from '../harness/engine.ts';
import { buildCase, buildxDir, lessBase, type Result, withBuildx } from './build-case.ts';
import { cases } from './cases.ts';
import type { ImageFacts } from './image-files.ts';

const golden = (name: string): Result =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'testdata', `${name}.json`), 'utf8')) as Result;

describe('builds come out as BuildKit makes them', () => {
  let engine: Engine;
  before(async () => {
    engine = await startEngine();
  });
  after(async () => {
    await engine[Symbol.asyncDispose]();
  });
  const base = (golden('from') as ImageFacts).files;
  const noBuildx = buildxDir() === undefined ? 'the machine has no docker-buildx' : false;
  const only = process.env.CASES?.split(',');

  for (const item of cases) {
    if (only !== undefined && !only.includes(item.name)) continue;
    const wanted = golden(item.name);
    const isError = 'error' in wanted;
    const shorten = (result: Result): Result => (item.name === 'from' ? result : lessBase(result, base));

    test(`${item.name}: classic`, { skip: isError ? 'errors are compared by the other door' : false }, async () => {
      const result = shorten(await buildCase(engine.clientEnv, engine.socket, item, 'classic'));
      assert.deepEqual(result, wanted);
    });

    test(`${item.name}: buildx`, { skip: noBuildx }, async () => {
      const env = withBuildx(engine.clientEnv, join(engine.dir, 'buildx'));
      assert.deepEqual(shorten(await buildCase(env, engine.socket, item, 'buildkit')), wanted);
    });
  }
});
