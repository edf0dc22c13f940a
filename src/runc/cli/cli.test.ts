import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { build } from 'esbuild';
import type { Resources, RuntimeSpec } from '../../oci/index.ts';
import { cannotRun, TestContainers } from '../testing/containers.ts';

const checkout = join(import.meta.dirname, '../../..');
const program = join(checkout, 'bin/berth-runc');
const bundled = join(checkout, 'build/test-cache', `berth-runc-${process.pid}`);

/** One bundle, as it ships: some fifty commands would each strip the types of eighty files. */
async function bundleProgram(): Promise<void> {
  await build({
    entryPoints: { 'berth-runc': join(checkout, 'src/runc/main.ts') },
    outdir: bundled,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'warning',
    banner: { js: 'const __url=require("node:url").pathToFileURL(__filename).href;' },
    define: { 'import.meta.url': '__url', 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
  });
}

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('berth-runc', { skip: cannotRun }, () => {
  let containers: TestContainers;
  let root: string;
  before(async () => {
    await bundleProgram();
    containers = new TestContainers();
    root = join(containers.bundle, 'state');
  });
  after(async () => {
    rmSync(bundled, { recursive: true, force: true });
    await containers[Symbol.asyncDispose]();
  });

  /** Streams of detached containers must not be ours: they would keep us waiting. */
  async function runc(
    args: readonly string[],
    options: { output?: string; uid?: number; global?: string[]; env?: Record<string, string> } = {},
  ): Promise<Result> {
    const fd = options.output === undefined ? 'pipe' : openSync(options.output, 'a');
    const child = spawn(
      process.execPath,
      [join(bundled, 'berth-runc.cjs'), '--root', root, ...(options.global ?? []), ...args],
      {
        cwd: containers.bundle,
        stdio: ['ignore', fd, fd],
        ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
        env: { PATH: '/usr/bin:/bin', ...options.env },
      },
    );
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', data => {
      stdout += data;
    });
    child.stderr?.on('data', data => {
      stderr += data;
    });
    const code = await new Promise<number | null>(resolve => child.on('close', resolve));
    return { code, stdout, stderr };
  }

  function bundle(args: string[]): void {
    const { spec } = containers.spec({ process: { args } });
    writeFileSync(join(containers.bundle, 'config.json'), JSON.stringify(spec));
  }

  const status = async (id: string) => (JSON.parse((await runc(['state', id])).stdout) as { status: string }).status;

  it('runs a bundle and ends as its program does', async () => {
    bundle(['sh', '-c', 'echo out; echo err >&2; exit 9']);
    assert.deepEqual(await runc(['run', 'r1']), { code: 9, stdout: 'out\n', stderr: 'err\n' });
    assert.equal(existsSync(join(root, 'r1')), false);
  });

  it('creates, starts, and deletes, with the states between', async () => {
    const output = join(containers.bundle, 'r2.out');
    const pidFile = join(containers.bundle, 'pid');
    bundle(['sh', '-c', 'echo started; sleep 100']);
    assert.equal((await runc(['create', '--pid-file', pidFile, 'r2'], { output })).code, 0);
    assert.equal(await status('r2'), 'created');
    assert.equal(readFileSync(output, 'utf8'), '');
    const state = JSON.parse((await runc(['state', 'r2'])).stdout) as {
      pid: number;
      bundle: string;
      ociVersion: string;
    };
    assert.equal(state.pid, Number(readFileSync(pidFile, 'utf8')));
    assert.equal(state.bundle, containers.bundle);
    assert.match((await runc(['create', 'r2'])).stderr, /runc create failed: container with given ID already exists/);
    assert.equal((await runc(['start', 'r2'])).code, 0);
    assert.equal(await status('r2'), 'running');
    assert.match((await runc(['start', 'r2'])).stderr, /cannot start an already running container/);
    for (let i = 0; i < 100 && readFileSync(output, 'utf8') === ''; i++) await delay(10);
    assert.equal(readFileSync(output, 'utf8'), 'started\n');
    assert.match((await runc(['delete', 'r2'])).stderr, /cannot delete container r2 that is not stopped: running/);
    assert.match((await runc(['list'])).stdout, /^ID .*STATUS.*\nr2 +\d+ +running /);
    assert.equal((await runc(['list', '-q'])).stdout, 'r2\n');
    assert.equal((await runc(['kill', 'r2', 'KILL'])).code, 0);
    for (let i = 0; i < 100 && (await status('r2')) !== 'stopped'; i++) await delay(10);
    assert.match((await runc(['kill', 'r2'])).stderr, /container not running/);
    assert.match((await runc(['start', 'r2'])).stderr, /cannot start a container that has stopped/);
    assert.equal((await runc(['delete', 'r2'])).code, 0);
    assert.match((await runc(['state', 'r2'])).stderr, /container does not exist/);
    assert.equal((await runc(['delete', '-f', 'r2'])).code, 0);
  });

  it('executes in a container, detached or not', async () => {
    bundle(['sleep', '100']);
    assert.equal((await runc(['run', '-d', 'r3'], { output: '/dev/null' })).code, 0);
    assert.deepEqual(
      await runc([
        'exec',
        '-e',
        'X=1',
        '-u',
        '5:6',
        '--cwd',
        '/tmp',
        'r3',
        'sh',
        '-c',
        'echo $X $(id -u) $(id -g) $(pwd); exit 4',
      ]),
      {
        code: 4,
        stdout: '1 5 6 /tmp\n',
        stderr: '',
      },
    );
    const file = join(containers.bundle, 'process.json');
    writeFileSync(
      file,
      JSON.stringify({
        args: ['sh', '-c', 'echo from file >/tmp/x'],
        cwd: '/',
        user: { uid: 0, gid: 0 },
        env: ['PATH=/bin'],
      }),
    );
    const pidFile = join(containers.bundle, 'exec.pid');
    assert.equal(
      (await runc(['exec', '--detach', '--pid-file', pidFile, '--process', file, 'r3'], { output: '/dev/null' })).code,
      0,
    );
    assert.ok(Number(readFileSync(pidFile, 'utf8')) > 1);
    const missing = await runc(['exec', 'r3', 'nosuch']);
    assert.equal(missing.code, 1);
    assert.match(
      missing.stderr,
      /exec failed: unable to start container process: exec: \\"nosuch\\": executable file not found in \$PATH/,
    );
    assert.equal((await runc(['pause', 'r3'])).code, 0);
    assert.equal(await status('r3'), 'paused');
    assert.match((await runc(['exec', 'r3', 'true'])).stderr, /cannot exec in a paused container/);
    assert.equal((await runc(['resume', 'r3'])).code, 0);
    const pids = JSON.parse((await runc(['ps', '-f', 'json', 'r3'])).stdout) as number[];
    assert.equal(pids.length, 1);
    assert.equal(
      (await runc(['update', '--pids-limit', '33', '--memory', '64m', '--memory-swap', '64m', 'r3'])).code,
      0,
    );
    const stats = JSON.parse((await runc(['events', '--stats', 'r3'])).stdout) as {
      data: { pids: { limit: number }; memory: { usage: { limit: number } } };
    };
    assert.equal(stats.data.pids.limit, 33);
    assert.equal(stats.data.memory.usage.limit, 64 << 20);
    assert.equal((await runc(['delete', '--force', 'r3'])).code, 0);
  });

  it('hands on descriptors with --preserve-fds', async () => {
    bundle(['sh', '-c', 'cat <&3']);
    const fd = openSync(join(containers.bundle, 'config.json'), 'r');
    const child = spawn(program, ['--root', root, 'run', '--preserve-fds', '1', 'r4'], {
      cwd: containers.bundle,
      stdio: ['ignore', 'pipe', 'inherit', fd],
    });
    let output = '';
    child.stdout!.on('data', data => {
      output += data;
    });
    await new Promise(resolve => child.on('close', resolve));
    assert.equal((JSON.parse(output) as RuntimeSpec).ociVersion, '1.3.0');
  });

  it('writes its errors where engines look for them', async () => {
    bundle(['nosuch']);
    const log = join(containers.bundle, 'log.json');
    const { code, stderr } = await runc(['create', 'r5'], { global: ['--log', log, '--log-format', 'json'] });
    assert.equal(code, 1);
    const message =
      'runc create failed: unable to start container process: error during container init: exec: "nosuch": executable file not found in $PATH';
    assert.equal(stderr, `${message}\n`);
    const line = JSON.parse(readFileSync(log, 'utf8').trim().split('\n').at(-1)!) as { level: string; msg: string };
    assert.deepEqual([line.level, line.msg], ['error', message]);
    assert.equal(existsSync(join(root, 'r5')), false);
  });

  it('refuses what it does not have, with the reason', async () => {
    assert.match(
      (await runc(['state', 'x'], { global: ['--systemd-cgroup'] })).stderr,
      /systemd support for managing cgroups is not available/,
    );
    assert.match((await runc(['checkpoint', 'x'])).stderr, /checkpoint is not supported/);
    assert.match((await runc(['state', '../x'])).stderr, /invalid container ID format/);
    rmSync(join(containers.bundle, 'config.json'));
    assert.match((await runc(['run', 'x'])).stderr, /JSON specification file config.json not found/);
  });

  it('explains a bundle without running it', async () => {
    bundle(['true']);
    const { code, stdout } = await runc(['explain', containers.bundle]);
    assert.equal(code, 0);
    assert.match(stdout, /pivotRoot \. \./);
    assert.match(stdout, /exec .*\/bin\/true.*# runtime-spec config.md: process.args/);
  });

  it('runs for an unprivileged user', async () => {
    const home = join(containers.bundle, 'home');
    mkdirSync(home);
    cpSync(containers.rootfs, join(home, 'rootfs'), { recursive: true, verbatimSymlinks: true });
    chmodSync(containers.bundle, 0o755);
    chmodSync(home, 0o777);
    const uid = 54321;
    const user = (args: string[], stdio: 'pipe' | 'ignore' = 'pipe') =>
      new Promise<Result>(resolve => {
        const child = spawn(
          process.execPath,
          [join(bundled, 'berth-runc.cjs'), '--root', join(home, 'state'), ...args],
          {
            cwd: home,
            uid,
            gid: uid,
            stdio: ['ignore', stdio, stdio],
            env: { PATH: '/usr/bin:/bin' },
          },
        );
        let stdout = '';
        let stderr = '';
        child.stdout?.on('data', data => {
          stdout += data;
        });
        child.stderr?.on('data', data => {
          stderr += data;
        });
        child.on('close', code => resolve({ code, stdout, stderr }));
      });
    assert.equal((await user(['spec', '--rootless'])).code, 0);
    const file = join(home, 'config.json');
    const starter = JSON.parse(readFileSync(file, 'utf8')) as RuntimeSpec;
    const write = (args: string[], resources: Resources = {}) =>
      writeFileSync(
        file,
        JSON.stringify({
          ...starter,
          process: { ...starter.process, terminal: false, args },
          linux: { ...starter.linux, resources },
        }),
      );
    write(['sh', '-c', 'id -u; cat /proc/self/uid_map; hostname; echo x >/dev/null && exit 6']);
    const result = await user(['run', 'rootless']);
    assert.equal(result.code, 6, result.stderr);
    assert.match(result.stdout, new RegExp(`^0\\n +0 +${uid} +1\\nrunc\\n$`));
    write(['sleep', '100']);
    assert.equal((await user(['run', '-d', 'rootless'], 'ignore')).code, 0);
    assert.equal((await user(['exec', 'rootless', 'id', '-u'])).stdout, '0\n');
    assert.equal((await user(['delete', '-f', 'rootless'])).code, 0);
    write(['true'], { pids: { limit: 5 } });
    assert.match((await user(['run', 'rootless'])).stderr, /rootless needs no limits/);
  });
});
