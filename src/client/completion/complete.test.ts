import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { Cli } from '../cli.ts';
import { startFakeEngine } from '../testing/fake-engine.ts';
import { complete } from './complete.ts';
import { bashScript } from './scripts.ts';

const directory = mkdtempSync(`${tmpdir()}/berth-client-complete-`);
after(() => rmSync(directory, { recursive: true }));

/** Catches what would be written. */
class CatchingCli extends Cli {
  readonly lines: string[] = [];
  override print(line: string): void {
    this.lines.push(line.split('\t')[0]!);
  }
}

const cases: readonly (readonly [string, readonly string[]])[] = [
  ['pau', ['pause', ':4']],
  ['container re', ['rename', 'restart', ':4']],
  ['run --netw', ['--network', '--network-alias', ':4']],
  ['run --network br', ['bridge', ':4']],
  ['run --restart ', ['always', 'no', 'on-failure', 'unless-stopped', ':4']],
  ['run -it busy', ['busybox:latest', ':4']],
  ['run busybox l', [':0']],
  ['rm w', ['web', ':4']],
  ['rm web w', [':4']],
  ['network connect app', ['app10', 'app2', ':4']],
  ['network connect app2 w', ['web', ':4']],
  ['-H unix:///x volume ', ['create', 'inspect', 'ls', 'prune', 'rm', ':4']],
  ['version x', [':4']],
  ['load -i ', [':0']],
];

for (const [line, expected] of cases) {
  test(`completes "${line}"`, async () => {
    const socket = `${directory}/s.sock`;
    await using _engine = await startFakeEngine(socket);
    const cli = new CatchingCli({
      configDirectory: directory,
      host: `unix://${socket}`,
      context: undefined,
      debug: false,
      tls: undefined,
    });
    await complete(cli, line.split(' '));
    cli.close();
    assert.deepEqual(cli.lines, expected);
  });
}

test('without a daemon there is nothing to name', async () => {
  const cli = new CatchingCli({
    configDirectory: directory,
    host: 'unix:///nonesuch',
    context: undefined,
    debug: false,
    tls: undefined,
  });
  await complete(cli, ['rm', '']);
  assert.deepEqual(cli.lines, [':4']);
});

test('bash takes the script, and completes by it', t => {
  if (spawnSync('bash', ['-c', 'true']).status !== 0) return t.skip('no bash here');
  const script = `${bashScript('fake-docker')}
fake-docker() { [ "$1" = __complete ] && printf 'alpha:1\\tfirst\\nalpha:2\\n:4\\n'; }
COMP_WORDS=(fake-docker rmi alpha:); COMP_CWORD=2
_fake_docker
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(stdout, '1\n2\n');
});
