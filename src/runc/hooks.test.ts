import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { cannotRun, TestContainers } from './testing/containers.ts';

const lines = (text: string) => text.trim().split('\n');

describe("a container's hooks", { skip: cannotRun }, () => {
  const containers = new TestContainers();
  after(() => containers[Symbol.asyncDispose]());
  const run: TestContainers['run'] = (...args) => containers.run(...args);

  it('runs its hooks in their places and order, with the state on stdin', async () => {
    const log = join(containers.bundle, 'hooks.log');
    writeFileSync(log, '');
    const hook = (name: string, path = '/bin/sh', file = log) => ({
      path,
      args: ['sh', '-c', `read state; echo "${name} $state" >>${file}`],
      env: ['PATH=/bin:/usr/bin'],
      timeout: 5,
    });
    const hooks = {
      prestart: [hook('prestart')],
      createRuntime: [hook('createRuntime1'), hook('createRuntime2')],
      createContainer: [hook('createContainer')],
      startContainer: [hook('startContainer', '/bin/sh', '/tmp/started')],
      poststart: [hook('poststart')],
    };
    const { output } = await run('cat /tmp/started; sleep 0.2', { spec: { hooks } });
    const told = lines(readFileSync(log, 'utf8'));
    assert.deepEqual(
      told.map(line => line.split(' ')[0]),
      ['prestart', 'createRuntime1', 'createRuntime2', 'createContainer', 'poststart'],
    );
    const state = JSON.parse(told[0]!.slice('prestart '.length)) as Record<string, unknown>;
    assert.equal(state.status, 'creating');
    assert.equal(state.bundle, containers.bundle);
    assert.ok(Number(state.pid) > 1 && Number(state.pid) < 2 ** 22);
    assert.match(output, /^startContainer \{.*"status":"created"/);
  });

  it('is not made when a hook fails or takes too long', async () => {
    const failing = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', 'echo sorry >&2; exit 3'] }] };
    await assert.rejects(run('true', { spec: { hooks: failing } }), /error running createRuntime hook #0: .*sorry/s);
    const slow = { prestart: [{ path: '/bin/sleep', args: ['sleep', '10'], timeout: 1 }] };
    await assert.rejects(run('true', { spec: { hooks: slow } }), /error running prestart hook #0/);
  });
});
