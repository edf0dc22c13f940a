// Containers on a network: to each other, to and from this machine.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Engine, startEngine } from '../harness/engine.ts';
import { needsDockerCli as skip } from '../harness/skip.ts';

const serve = 'mkdir /www; hostname > /www/index.html; exec httpd -f -h /www';

test('networks', { skip }, async t => {
  await using engine = await startEngine();

  await t.test('containers of the default bridge reach each other by address', async () => {
    await engine.ok('run', '-d', '--name', 'server', '--hostname', 'server', 'busybox', 'sh', '-c', serve);
    const address = await engine.ok('inspect', '-f', '{{.NetworkSettings.Networks.bridge.IPAddress}}', 'server');
    assert.match(address, new RegExp(`^${engine.subnet.replaceAll('.', '\\.')}\\.`));
    assert.equal(await retried(engine, 'run', '--rm', 'busybox', 'wget', '-qO-', `http://${address}/`), 'server');
    await engine.ok('rm', '-f', 'server');
  });

  await t.test("a published port answers on this machine, with the client's way back intact", async () => {
    await engine.ok(
      'run',
      '-d',
      '--name',
      'web',
      '--hostname',
      'web',
      '-p',
      '127.0.0.1:0:80',
      'busybox',
      'sh',
      '-c',
      serve,
    );
    const port = (await engine.ok('port', 'web', '80/tcp')).split(':').at(-1);
    for (let tries = 0; ; tries++) {
      const text = await fetch(`http://127.0.0.1:${port}/`).then(
        answer => answer.text(),
        () => '',
      );
      if (text === 'web\n') break;
      assert.ok(tries < 50, 'no answer through the published port');
      await sleep(20);
    }
    await engine.ok('rm', '-f', 'web');
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`), 'nothing answers any more');
  });

  await t.test("a port that is taken is refused in Docker's words, and nothing is left", async () => {
    const listener = createServer().listen(0, '127.0.0.1');
    await new Promise(resolve => listener.once('listening', resolve));
    const { port } = listener.address() as { port: number };
    const outcome = await engine.docker('run', '--name', 'late', '-p', `127.0.0.1:${port}:80`, 'busybox', 'true');
    listener.close();
    assert.equal(outcome.code, 125);
    assert.match(
      outcome.stderr,
      /failed to set up container networking: driver failed programming external connectivity on endpoint late \([0-9a-f]{64}\): /,
    );
    assert.match(outcome.stderr, /address already in use/);
    assert.equal(await engine.ok('inspect', '-f', '{{.State.Status}}', 'late'), 'created');
    assert.equal(await engine.ok('start', 'late'), 'late', 'it starts once the port is free');
    await engine.ok('rm', '-f', 'late');
  });

  await t.test("names are resolved on a network of one's own, and nowhere else", async () => {
    await engine.ok('network', 'create', '--subnet', `${engine.subnet.replace(/\d+$/, '255')}.0/28`, 'mine');
    await engine.ok(
      'run',
      '-d',
      '--name',
      'db',
      '--network',
      'mine',
      '--network-alias',
      'database',
      'busybox',
      'sh',
      '-c',
      serve,
    );
    for (const name of ['db', 'database']) {
      assert.match(
        await retried(engine, 'run', '--rm', '--network', 'mine', 'busybox', 'wget', '-qO-', `http://${name}/`),
        /^[0-9a-f]{12}$/,
      );
    }
    const outside = await engine.docker('run', '--rm', 'busybox', 'wget', '-T', '2', '-qO-', 'http://db/');
    assert.notEqual(outside.code, 0);
    const busy = await engine.docker('network', 'rm', 'mine');
    assert.match(busy.stderr, /has active endpoints/);
    await engine.ok('rm', '-f', 'db');
    await engine.ok('network', 'rm', 'mine');
  });
});

/** Servers take a moment to listen. */
async function retried(engine: Engine, ...args: string[]): Promise<string> {
  for (let tries = 0; ; tries++) {
    const outcome = await engine.docker(...args);
    if (outcome.code === 0) return outcome.stdout.trimEnd();
    if (tries === 10) throw new Error(`docker ${args.join(' ')}: ${outcome.stderr}`);
    await sleep(50);
  }
}
