// What buildx asks of an engine beside an image: outputs, secrets, contexts, checks, the cache; and that a build that is given up
// leaves nothing.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { command, type Outcome } from '../harness/command.ts';
import { type Engine, startEngine } from '../harness/engine.ts';
import { buildxDir, withBuildx } from './build-case.ts';
import { readTar } from './image-files.ts';

const skip = buildxDir() === undefined ? 'the machine has no docker-buildx' : false;

describe('buildx', { skip }, () => {
  let engine: Engine;
  let env: NodeJS.ProcessEnv;
  let folders = 0;

  before(async () => {
    engine = await startEngine();
    env = withBuildx(engine.clientEnv, join(engine.dir, 'buildx'));
  });
  after(() => engine[Symbol.asyncDispose]());

  function context(files: Readonly<Record<string, string>>): string {
    const dir = join(engine.dir, `context-${folders++}`);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(dir, path, '..'), { recursive: true });
      writeFileSync(join(dir, path), text);
    }
    return dir;
  }

  const buildx = (...args: string[]): Promise<Outcome> => command('docker', ['buildx', ...args], { env });

  async function built(...args: string[]): Promise<Outcome> {
    const outcome = await buildx('build', '--progress', 'plain', ...args);
    assert.equal(outcome.code, 0, outcome.stderr);
    return outcome;
  }

  test('the files of a result come back as a tar and as a directory', async () => {
    const dir = context({ Dockerfile: 'FROM scratch\nCOPY a /d/\nCOPY --chmod=700 a /x\n', a: 'text' });
    const tar = join(engine.dir, 'out.tar');
    await built('-o', `type=tar,dest=${tar}`, dir);
    const names = readTar(readFileSync(tar)).map(({ entry }) => entry.path.replace(/\/$/, ''));
    assert.deepEqual(names, ['d', 'd/a', 'x']);
    const out = join(engine.dir, 'out');
    await built('-o', out, dir);
    assert.equal(readFileSync(join(out, 'd/a'), 'utf8'), 'text');
    assert.equal(statSync(join(out, 'x')).mode & 0o777, 0o700);
  });

  test('an archive in either layout can be loaded again', async () => {
    const dir = context({ Dockerfile: 'FROM busybox\nRUN echo x > /x\n' });
    for (const type of ['docker', 'oci']) {
      const file = join(engine.dir, `${type}.tar`);
      await built('-o', `type=${type},dest=${file},name=archived:${type}`, dir);
      assert.match(await engine.ok('load', '-i', file), new RegExp(`archived:${type}`));
    }
  });

  test('metadata and image id name the image that was built', async () => {
    const dir = context({ Dockerfile: 'FROM busybox\nLABEL a=b\n' });
    const file = join(engine.dir, 'metadata.json');
    const iid = join(engine.dir, 'iid');
    await built('--metadata-file', file, '--iidfile', iid, '-t', 'named:1', dir);
    const metadata = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    assert.equal(metadata['image.name'], 'docker.io/library/named:1');
    assert.equal(readFileSync(iid, 'utf8'), await engine.ok('image', 'inspect', '-f', '{{.Id}}', 'named:1'));
  });

  test('a secret is there for its step and in no layer', async () => {
    const dir = context({
      Dockerfile:
        'FROM busybox\nRUN --mount=type=secret,id=s --mount=type=secret,id=s,env=E test "$(cat /run/secrets/s)" = "$E" && echo ${#E} > /length\n',
    });
    const secret = join(engine.dir, 'secret');
    writeFileSync(secret, 'hush!');
    const tar = join(engine.dir, 'secret.tar');
    await built('--secret', `id=s,src=${secret}`, '-o', `type=tar,dest=${tar}`, dir);
    const archive = readFileSync(tar);
    assert.equal(
      readTar(archive)
        .find(({ entry }) => entry.path === 'length')
        ?.data.toString(),
      '5\n',
    );
    assert.equal(archive.includes('hush!'), false);
    const missing = context({
      Dockerfile: 'FROM busybox\nRUN --mount=type=secret,id=none,required cat /run/secrets/none\n',
    });
    assert.match((await buildx('build', missing)).stderr, /secret none: not found/);
  });

  test('named contexts stand for stages and images', async () => {
    const other = context({ f: 'from the other' });
    const dir = context({ Dockerfile: 'FROM base\nCOPY --from=other f /f\nRUN cat /f > /g\n' });
    const out = join(engine.dir, 'named');
    await built('--build-context', `other=${other}`, '--build-context', 'base=docker-image://busybox', '-o', out, dir);
    assert.equal(readFileSync(join(out, 'g'), 'utf8'), 'from the other');
  });

  test('only what has changed is sent, and only what depends on it is done again', async () => {
    const files: Record<string, string> = { Dockerfile: 'FROM busybox\nCOPY a /\nRUN date +%N > /t\nCOPY b /\n' };
    for (let i = 0; i < 200; i++) files[`many/${i}`] = `${i}`.repeat(100);
    const dir = context({ ...files, a: 'a', b: 'b' });
    await built(dir);
    writeFileSync(join(dir, 'b'), 'changed');
    const { stderr } = await built(dir);
    assert.match(stderr, /RUN date[^\n]*\n#\d+ CACHED/);
    const sent = /transferring context: ([\d.]+)(k?B)/.exec(stderr);
    assert.ok(sent === null || (sent[2] === 'B' && Number(sent[1]) < 100), stderr);
  });

  test('--check tells what it finds and fails, and a directive passes it over', async () => {
    const bad = await buildx('build', '--check', context({ Dockerfile: 'FROM busybox AS One\nCMD echo\n' }));
    assert.equal(bad.code, 1);
    assert.match(bad.stdout, /StageNameCasing[\s\S]*JSONArgsRecommended/);
    const good = await buildx(
      'build',
      '--check',
      context({ Dockerfile: '# check=skip=all\nFROM busybox AS One\nCMD echo\n' }),
    );
    assert.equal(good.code, 0, good.stdout + good.stderr);
  });

  test('the cache is listed and pruned', async () => {
    await built(context({ Dockerfile: 'FROM busybox\nRUN --mount=type=cache,target=/c echo x > /c/x\n' }));
    assert.match((await buildx('du', '--verbose')).stdout, /cached mount \/c/);
    const pruned = await buildx('prune', '-af');
    assert.equal(pruned.code, 0, pruned.stderr);
    assert.match((await buildx('du')).stdout, /Total:\s+0B/);
  });

  test('an image tells a later build what its layers are, to nobody else', async () => {
    const dir = context({ Dockerfile: 'FROM busybox\nRUN date +%N > /t\nCOPY Dockerfile /\n' });
    await built('--cache-to', 'type=inline', '-t', 'inline:1', dir);
    assert.equal((await buildx('prune', '-af')).code, 0);
    const again = await built('--cache-from', 'inline:1', dir);
    assert.match(again.stderr, /RUN date[^\n]*\n#\d+ CACHED/);
    const without = await built(dir);
    assert.doesNotMatch(without.stderr, /RUN date[^\n]*\n#\d+ CACHED/);
  });

  test('a program that is not there is told in the output', async () => {
    const outcome = await buildx(
      'build',
      '--progress',
      'plain',
      context({ Dockerfile: 'FROM busybox\nRUN ["/none"]\n' }),
    );
    assert.match(outcome.stderr, /exec: "\/none": stat \/none: no such file or directory/);
    assert.match(outcome.stderr, /process "\/none" did not complete successfully: exit code: 1/);
  });

  test('output beyond bounds is clipped, and the build goes on', async () => {
    const dir = context({
      Dockerfile: 'FROM busybox\nRUN yes $(printf %0500d 1) | head -c 8000000; echo done > /done\n',
    });
    const { stderr } = await built(dir);
    assert.match(stderr, /output clipped, log limit 2MiB reached/);
  });

  for (const door of ['buildx', 'classic'] as const) {
    test(`a ${door} build whose client goes away leaves nothing`, async () => {
      const dir = context({ Dockerfile: 'FROM busybox\nRUN echo begun; sleep 600\n' });
      const args = door === 'buildx' ? ['buildx', 'build', '--progress', 'plain', dir] : ['build', dir];
      const child = spawn('docker', args, {
        env: { ...env, DOCKER_BUILDKIT: door === 'buildx' ? '1' : '0' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let said = '';
      child.stdout.on('data', data => {
        said += data;
      });
      child.stderr.on('data', data => {
        said += data;
      });
      for (let i = 0; i < 400 && !/(?:^|\d )begun$/m.test(said); i++) await sleep(50);
      child.kill('SIGKILL');
      assert.match(said, /(?:^|\d )begun$/m);
      const tasks = join(engine.dir, 'exec/tasks');
      const left = async (): Promise<string> =>
        (await command('find', [tasks, join(engine.dir, 'data/build/tmp'), '-name', 'build-*', '-o', '-name', 'run-*']))
          .stdout;
      for (let i = 0; i < 100 && (await left()) !== ''; i++) await sleep(50);
      assert.equal(await left(), '');
    });
  }
});
