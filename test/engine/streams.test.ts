// Output and input of containers through the real CLI and over the raw API.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Engine, startEngine } from '../harness/engine.ts';
import { needsDockerCli as skip } from '../harness/skip.ts';

test('streams', { skip }, async t => {
  await using engine = await startEngine();

  await t.test('a client that attaches before the start sees the first byte', async () => {
    for (let round = 0; round < 10; round++) {
      const outcome = await engine.docker('run', '--rm', 'busybox', 'echo', `first ${round}`);
      assert.equal(outcome.stdout, `first ${round}\n`);
    }
  });

  await t.test('all output arrives, however much, before the exit is told', async () => {
    const { code, stdout } = await engine.docker(
      'run',
      '--rm',
      'busybox',
      'sh',
      '-c',
      'yes 0123456789abcdef | head -c 20000000; exit 4',
    );
    assert.equal(code, 4);
    assert.equal(stdout.length, 20_000_000);
  });

  await t.test('a client that reads slowly gets all of it, and holds nobody up', async () => {
    const child = spawn(
      'docker',
      ['run', '--name', 'slow', 'busybox', 'sh', '-c', 'yes 0123456789abcdef | head -c 30000000'],
      {
        env: engine.clientEnv,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    child.stdout.pause();
    await sleep(1500);
    assert.equal(
      await engine.ok('inspect', '-f', '{{.State.Status}}', 'slow'),
      'exited',
      'the container has ended without its reader',
    );
    let bytes = 0;
    child.stdout.on('data', chunk => {
      bytes += chunk.length;
    });
    child.stdout.resume();
    await new Promise(resolve => child.once('close', resolve));
    assert.equal(bytes, 30_000_000);
    assert.equal((await engine.docker('logs', 'slow')).stdout.length, 30_000_000);
    await engine.ok('rm', 'slow');
  });

  await t.test('stdin goes in, and its end ends the process', async () => {
    const outcome = await engine.dockerWith(
      { stdin: 'a\nb\n' },
      'run',
      '--rm',
      '-i',
      'busybox',
      'sh',
      '-c',
      'cat; echo end',
    );
    assert.equal(outcome.stdout, 'a\nb\nend\n');
  });

  await t.test('clients that hijack without an Upgrade header get a 200 and raw bytes', async () => {
    const id = await engine.ok('create', '-i', 'busybox', 'sh', '-c', 'read line; echo got $line');
    const attached = await hijack(engine, `/containers/${id}/attach?stream=1&stdin=1&stdout=1`, '');
    assert.match(attached.head, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(attached.head, /Content-Type: application\/vnd\.docker\.raw-stream/i);
    assert.equal((await engine.api('POST', `/containers/${id}/start`)).status, 204);
    attached.socket.write('hello\n');
    const bytes = await attached.rest;
    assert.equal(bytes.subarray(8).toString(), 'got hello\n');
    assert.equal(bytes[0], 1, 'a frame of stdout');
    await engine.ok('rm', '-f', id);
  });

  await t.test('a half-closed input leaves the output open', async () => {
    const id = await engine.ok('create', '-i', 'busybox', 'sh', '-c', 'wc -c; sleep 0.1; echo late');
    const attached = await hijack(
      engine,
      `/containers/${id}/attach?stream=1&stdin=1&stdout=1`,
      'Upgrade: tcp\r\nConnection: Upgrade\r\n',
    );
    assert.match(attached.head, /^HTTP\/1\.1 101 UPGRADED\r\n/);
    await engine.api('POST', `/containers/${id}/start`);
    attached.socket.end('12345');
    const text = (await attached.rest).toString('latin1');
    assert.match(text, /5\n/);
    assert.match(text, /late\n/);
    await engine.ok('rm', '-f', id);
  });

  await t.test('a hundred execs at once all answer', async () => {
    await engine.ok('run', '-d', '--name', 'many', 'busybox', 'sleep', '1000');
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const created = await engine.api('POST', '/containers/many/exec', {
          AttachStdout: true,
          Cmd: ['sh', '-c', `echo ${i}; exit ${i}`],
        });
        const { Id } = JSON.parse(created.body) as { Id: string };
        const stream = await hijack(engine, `/exec/${Id}/start`, '', JSON.stringify({ Detach: false }));
        const text = (await stream.rest).subarray(8).toString();
        const inspect = JSON.parse((await engine.api('GET', `/exec/${Id}/json`)).body) as {
          ExitCode: number;
          Running: boolean;
        };
        return [text, inspect.ExitCode, inspect.Running];
      }),
    );
    assert.deepEqual(
      answers,
      answers.map((_, i) => [`${i}\n`, i, false]),
    );
    await engine.ok('rm', '-f', 'many');
  });
});

/** Sends a request by hand; `rest` is all that comes after the answer's head. */
async function hijack(engine: Engine, path: string, headers: string, body = '') {
  const socket = connect({ path: engine.socket, allowHalfOpen: true });
  const content = body === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  socket.write(`POST ${path} HTTP/1.1\r\nHost: d\r\n${headers}${content}\r\n${body}`);
  const chunks: Buffer[] = [];
  let head: string | undefined;
  const started = Promise.withResolvers<string>();
  const rest = new Promise<Buffer>((resolve, reject) => {
    socket.on('data', chunk => {
      chunks.push(chunk);
      if (head !== undefined) return;
      const all = Buffer.concat(chunks);
      const end = all.indexOf('\r\n\r\n');
      if (end === -1) return;
      head = all.subarray(0, end + 4).toString();
      chunks.splice(0, chunks.length, all.subarray(end + 4));
      started.resolve(head);
    });
    socket.once('error', reject);
    socket.once('end', () => {
      socket.end();
      resolve(Buffer.concat(chunks));
    });
  });
  return { socket, head: await started.promise, rest };
}
