// Records what the real Docker's BuildKit makes of the cases: bin/node test/build/record.ts [NAME…]
// It needs a Docker to ask (DOCKER_HOST) and writes testdata/.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxArchive } from '../harness/busybox.ts';
import { command } from '../harness/command.ts';
import { buildCase, lessBase, withBuildx } from './build-case.ts';
import { cases } from './cases.ts';

async function record(names: readonly string[]): Promise<void> {
  const host = process.env.DOCKER_HOST ?? '';
  const socket = host.replace(/^unix:\/\//, '');
  const env = withBuildx({ ...process.env, DOCKER_CLI_HINTS: 'false' }, '/tmp/berth-record-config');
  await command('docker', ['load', '-q', '-i', (await busyboxArchive())!], { env });
  const base = await buildCase(env, socket, cases.find(({ name }) => name === 'from')!, 'buildkit');
  if ('error' in base) throw new Error(base.error);
  for (const test of cases) {
    if (names.length > 0 && !names.includes(test.name)) continue;
    const result = test.name === 'from' ? base : lessBase(await buildCase(env, socket, test, 'buildkit'), base.files);
    writeFileSync(
      join(import.meta.dirname, 'testdata', `${test.name}.json`),
      `${JSON.stringify(result, undefined, 1)}\n`,
    );
    console.log(
      test.name,
      'error' in result ? `error: ${result.error.split('\n').at(-1)}` : `${result.files.length} files`,
    );
  }
}

void record(process.argv.slice(2));
