// Programs that use Docker through its SDKs, on our engine.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { command } from '../harness/command.ts';
import { unpackDebian } from '../harness/debian.ts';
import { startEngine } from '../harness/engine.ts';
import { npmPackages } from '../harness/npm.ts';
import { needsDockerCli } from '../harness/skip.ts';

const node = join(import.meta.dirname, '../../bin/node');
const script = (name: string): string => join(import.meta.dirname, 'testdata', name);

const packages = needsDockerCli ? undefined : await npmPackages('sdk', ['dockerode@5.0.1', 'testcontainers@12.2.0']);
const noNpm = needsDockerCli || (packages === undefined && 'dockerode and testcontainers cannot be had from npm here');

for (const name of ['dockerode', 'testcontainers']) {
  test(`${name} works on our engine`, { skip: noNpm }, async () => {
    await using engine = await startEngine({
      flags: ['--default-address-pool', `base=${poolOf(process.pid)},size=24`],
    });
    const outcome = await command(node, [script(`${name}.cjs`), engine.socket, packages!], {
      env: { ...engine.clientEnv, TESTCONTAINERS_RYUK_DISABLED: 'true' },
      timeoutMs: 60_000,
    });
    assert.equal(outcome.stdout, 'ok\n', outcome.stdout + outcome.stderr);
  });
}

const python = '/usr/bin/python3';
const modules = [
  'docker',
  'requests',
  'urllib3',
  'websocket',
  'certifi',
  'charset-normalizer',
  'chardet',
  'idna',
  'packaging',
  'six',
];
const root =
  needsDockerCli || !existsSync(python)
    ? undefined
    : await unpackDebian(
        'docker-py',
        modules.map(name => `python3-${name}`),
      );
const noPython = needsDockerCli || (root === undefined && "Debian's python3-docker cannot be had here");

test('docker-py works on our engine', { skip: noPython }, async () => {
  await using engine = await startEngine();
  const outcome = await command(python, [script('docker_py.py'), engine.socket], {
    env: {
      ...engine.clientEnv,
      PYTHONPATH: join(root!, 'usr/lib/python3/dist-packages'),
      PYTHONDONTWRITEBYTECODE: '1',
    },
    timeoutMs: 60_000,
  });
  assert.equal(outcome.stdout, 'ok\n', outcome.stdout + outcome.stderr);
});

/** Networks that clients make themselves must not meet those of other tests. */
function poolOf(pid: number): string {
  return `10.${100 + (pid % 90)}.0.0/16`;
}
