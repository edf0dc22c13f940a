import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { startEngine } from '../harness/engine.ts';
import { needsDockerCli as skip } from '../harness/skip.ts';
import { parseTranscript, replay, scenarioDir } from './transcript.ts';

for (const file of globSync('*.t', { cwd: scenarioDir }).toSorted()) {
  test(`${basename(file, '.t')}: our engine answers the docker CLI as the real Docker did`, { skip }, async t => {
    await using engine = await startEngine();
    const steps = parseTranscript(readFileSync(join(scenarioDir, file), 'utf8'));
    const answered = await replay(steps, engine.clientEnv);
    for (const [i, step] of steps.entries()) {
      await t.test(
        step.command,
        { skip: step.differs === undefined ? false : `differs by intent: ${step.differs}` },
        () => {
          assert.equal(answered[i]!.answer, step.answer);
        },
      );
    }
  });
}
