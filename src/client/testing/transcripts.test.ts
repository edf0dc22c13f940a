import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { build } from 'esbuild';
import { recordTranscripts, type Transcript } from './transcript.ts';

// What Docker's client 28.5.2 printed for each command line, against the same fake engine (see record.ts).
const golden = JSON.parse(readFileSync(`${import.meta.dirname}/testdata/transcripts.json`, 'utf8')) as Transcript[];

const directory = mkdtempSync(`${tmpdir()}/berth-client-bundle-`);
// Also when the bundling fails, before any test has begun.
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
// One bundle, as it ships: the sources would take a minute for the lot.
const bundle = `${directory}/berth.cjs`;
await build({
  entryPoints: [`${import.meta.dirname}/../main.ts`],
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node24',
  outfile: bundle,
  logLevel: 'error',
});
const ours = await recordTranscripts([process.execPath, bundle], {
  BERTH_PROGRAM_NAME: 'docker',
  NODE_COMPILE_CACHE: `${directory}/cache`,
});

golden.forEach((expected, i) => {
  test(`docker ${expected.args.join(' ')}`, () => assert.deepEqual(ours[i], expected));
});

test('the golden file has every case', () => {
  assert.deepEqual(
    golden.map(entry => entry.args),
    ours.map(entry => entry.args),
  );
});
