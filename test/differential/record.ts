// Records what a real Docker answers into the transcripts: `DOCKER_HOST=... bin/node test/differential/record.ts [NAME ...]`.
// The daemon must share /dev with this machine, and have no containers; busybox:latest is loaded into it.

import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { busyboxArchive } from '../harness/busybox.ts';
import { command } from '../harness/command.ts';
import { formatTranscript, parseTranscript, replay, scenarioDir } from './transcript.ts';

const names = process.argv.slice(2);
const archive = await busyboxArchive();
if (process.env.DOCKER_HOST === undefined || archive === undefined)
  throw new Error('need DOCKER_HOST and a static busybox');
for (const file of globSync('*.t', { cwd: scenarioDir })) {
  if (names.length > 0 && !names.includes(basename(file, '.t'))) continue;
  await command('docker', ['load', '-q', '-i', archive]);
  const path = join(scenarioDir, file);
  const steps = await replay(parseTranscript(readFileSync(path, 'utf8')), process.env);
  writeFileSync(path, formatTranscript(steps));
  console.log(`${file}: ${steps.length} steps`);
}
