import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { busyboxArchive } from '../harness/busybox.ts';
import { startEngine } from '../harness/engine.ts';
import { parseTranscript, replay, scenarioDir } from './transcript.ts';

const noCli = (process.env.PATH ?? '').split(':').some(dir => existsSync(join(dir, 'docker')))
  ? false
  : 'no docker CLI on PATH';
const skip = noCli || ((await busyboxArchive()) === undefined && 'no static busybox on this machine');

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
