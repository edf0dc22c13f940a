// `npm start`: an engine on a data root of its own, an image, a container with a published port, and the answer that comes out of it.
// Everything shown is what happened. Ctrl-C ends it and leaves nothing behind.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { busyboxRootfs } from './busybox-rootfs.ts';

const root = join(import.meta.dirname, '..');
const dir = mkdtempSync(join(tmpdir(), 'berth-start-'));
const socket = join(dir, 'berth.sock');
const env = { ...process.env, DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: join(dir, 'cli') };
const bridge = `berth${process.pid % 10_000}`;
let daemon: ChildProcess | undefined;

function say(text: string): void {
  console.log(`\n── ${text}`);
}

/** Runs our client and shows the command with its output. */
function berth(...args: string[]): string {
  console.log(`$ berth ${args.map(arg => (/[^\w./:=@-]/.test(arg) ? `'${arg}'` : arg)).join(' ')}`);
  const { status, stdout, stderr } = spawnSync(join(root, 'bin/berth'), args, { env, encoding: 'utf8' });
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  if (status !== 0) throw new Error(`berth ${args[0]} failed with exit code ${status}`);
  return stdout.trim();
}

/** One call of the engine's API. */
function api(
  method: string,
  path: string,
  body?: Uint8Array,
  timeoutMs = 30_000,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: socket, method, path, timeout: timeoutMs }, answer => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', chunk => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode!, text }));
    });
    call.on('timeout', () => call.destroy(new Error('timed out')));
    call.on('error', reject);
    call.end(body);
  });
}

async function startEngine(): Promise<void> {
  const log = openSync(join(dir, 'engine.log'), 'a');
  daemon = spawn(
    join(root, 'bin/berthd'),
    [
      `--host=unix://${socket}`,
      `--data-root=${join(dir, 'data')}`,
      `--exec-root=${join(dir, 'exec')}`,
      `--bridge=${bridge}`,
    ],
    // A group of its own: Ctrl-C is ours to pass on, after the container is gone.
    { stdio: ['ignore', log, log], detached: true },
  );
  closeSync(log);
  for (let i = 0; i < 500; i++) {
    const up = await api('GET', '/_ping').then(
      ({ status }) => status === 200,
      () => false,
    );
    if (up) return;
    if (daemon.exitCode !== null) break;
    await sleep(10);
  }
  throw new Error(`the engine did not come up:\n${readFileSync(join(dir, 'engine.log'), 'utf8')}`);
}

/** busybox from Docker Hub, or, without the internet, made from the machine's own static busybox. */
async function getImage(): Promise<void> {
  const pulled = await api('POST', '/images/create?fromImage=busybox&tag=latest', undefined, 20_000).then(
    ({ status, text }) => status === 200 && !text.includes('"errorDetail"'),
    () => false,
  );
  if (pulled) return say('busybox:latest pulled from Docker Hub');
  say('no registry can be reached: making busybox:latest from the busybox of this machine');
  const tar = await busyboxRootfs(dir);
  const { status, text } = await api(
    'POST',
    '/images/create?fromSrc=-&repo=busybox&tag=latest&changes=CMD+%5B%22sh%22%5D',
    tar,
  );
  if (status !== 200) throw new Error(`import failed: ${text}`);
}

async function end(code: number): Promise<never> {
  if (daemon !== undefined && daemon.exitCode === null) {
    const listed = await api('GET', '/containers/json?all=1').catch(() => undefined);
    for (const { Id } of listed === undefined ? [] : (JSON.parse(listed.text) as { Id: string }[])) {
      await api('DELETE', `/containers/${Id}?force=1&v=1`).catch(() => {});
    }
    const gone = new Promise(resolve => daemon!.once('exit', resolve));
    daemon.kill('SIGTERM');
    await Promise.race([gone, sleep(10_000)]);
    daemon.kill('SIGKILL');
  }
  rmSync(dir, { recursive: true, force: true });
  process.exit(code);
}

process.on('SIGINT', () => void end(130));
process.on('SIGTERM', () => void end(143));

try {
  if (process.getuid!() !== 0) throw new Error('making containers needs root: run it as root');
  if (!existsSync(join(root, 'dist/berthd.cjs')))
    execFileSync(process.execPath, ['build.ts'], { cwd: root, stdio: 'inherit' });
  const began = performance.now();
  await startEngine();
  say(`the engine is up after ${Math.round(performance.now() - began)} ms: DOCKER_HOST=unix://${socket}`);
  await getImage();
  berth('images');

  say('a container that serves a page, its port 80 published on this machine');
  const page =
    'mkdir /www && echo "Hello from $(hostname), a container on Linux $(uname -r)" > /www/index.html && exec httpd -f -p 80 -h /www';
  const id = berth('run', '-d', '--name', 'hello', '-p', '127.0.0.1:0:80', 'busybox', 'sh', '-c', page);
  const port = berth('port', 'hello', '80').split(':').at(-1)!;

  say(`GET http://127.0.0.1:${port}/ answers`);
  let answer: string | undefined;
  for (let i = 0; i < 100 && answer === undefined; i++) {
    answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2000) }).then(
      r => r.text(),
      () => undefined,
    );
    if (answer === undefined) await sleep(20);
  }
  if (answer === undefined) throw new Error('no answer came');
  process.stdout.write(answer);

  say('what each layer took to start it');
  const timings = JSON.parse((await api('GET', `/berth/containers/${id}/timings`)).text) as Record<string, number>;
  for (const [layer, ms] of Object.entries(timings))
    console.log(`${layer.replace(/Ms$/, '').padEnd(10)} ${ms.toFixed(2).padStart(8)} ms`);

  say('and the program that made it, op by op (the first lines; `berth run --explain` shows any)');
  console.log((await api('GET', `/containers/${id}/explain`)).text.split('\n').slice(0, 12).join('\n'));

  if (process.stdout.isTTY && process.env.CI === undefined) {
    say('the engine stays up. In another terminal:');
    console.log(`export DOCKER_HOST=unix://${socket}\ndocker ps\n\nCtrl-C ends it and leaves nothing behind.`);
    await new Promise(() => setInterval(() => {}, 1 << 30));
  }
  await end(0);
} catch (err) {
  console.error(`\nnpm start: ${err instanceof Error ? err.message : err}`);
  await end(1);
}
