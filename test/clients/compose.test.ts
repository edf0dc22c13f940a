// The real docker compose drives an app on our engine.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Outcome } from '../harness/command.ts';
import { startEngine } from '../harness/engine.ts';
import { pluginDir } from '../harness/plugins.ts';
import { needsDockerCli } from '../harness/skip.ts';

const plugins = needsDockerCli === false ? await pluginDir() : undefined;
const skip = needsDockerCli || (plugins === undefined && 'docker-compose of Debian testing cannot be had here');

test('compose: up, ps, logs, exec, scale, profiles, down', { skip }, async () => {
  await using engine = await startEngine();
  mkdirSync(join(engine.dir, 'cli'), { recursive: true });
  writeFileSync(join(engine.dir, 'cli/config.json'), JSON.stringify({ cliPluginsExtraDirs: [plugins] }));
  const net = engine.subnet.replace(/\.\d+$/, '');
  const env = {
    ...engine.clientEnv,
    COMPOSE_PROGRESS: 'plain',
    FRONT_BRIDGE: `${engine.bridge}f`,
    BACK_BRIDGE: `${engine.bridge}b`,
    FRONT_SUBNET: `${net}.254.0/28`,
    BACK_SUBNET: `${net}.254.16/28`,
  };
  const compose = async (...args: string[]): Promise<string> => {
    const file = join(import.meta.dirname, 'testdata/compose.yaml');
    const outcome: Outcome = await engine.dockerWith({ env, timeoutMs: 90_000 }, 'compose', '-f', file, ...args);
    assert.equal(outcome.code, 0, `compose ${args.join(' ')}: ${outcome.stdout}${outcome.stderr}`);
    return outcome.stdout.trimEnd();
  };

  await compose('up', '-d', '--wait');
  const services = (await compose('ps', '--format', '{{.Service}} {{.State}} {{.Health}}'))
    .split('\n')
    .map(line => line.trim());
  assert.deepEqual(services.toSorted(), ['db running healthy', 'web running', 'worker running']);

  const published = await compose('port', 'web', '80');
  const page = await fetch(`http://${published}/`).then(answer => answer.text());
  assert.equal(page, 'stored\n', 'web found db by its service name after it was healthy');

  assert.equal(await compose('exec', '-T', 'web', 'sh', '-c', 'echo $GREETING'), 'hello');
  assert.match(await compose('logs', 'worker'), /worker-1 +\| worker is up/);
  await compose('up', '-d', '--scale', 'worker=3');
  assert.equal((await compose('ps', '-q', 'worker')).split('\n').length, 3);
  assert.match(await compose('exec', '-T', 'web', 'nslookup', 'worker'), /(Address(.|\n)*){3}/);
  assert.match(await compose('run', '--rm', 'tool'), /only when asked/);
  await compose('restart', 'worker');
  await compose('stop', 'web');
  await compose('start', 'web');
  await compose('down', '-v', '--timeout', '0');
  assert.equal(await engine.ok('ps', '-aq'), '');
  assert.equal(await engine.ok('volume', 'ls', '-q'), '');
  assert.equal(await engine.ok('network', 'ls', '--filter', 'type=custom', '-q'), '');
});
