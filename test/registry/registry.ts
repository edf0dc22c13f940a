import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRegistry } from './package.ts';

export const testdata = join(import.meta.dirname, 'testdata');

/** The one account of `auth: 'basic'`. */
export const account = { username: 'tester', password: 'secret' } as const;
const htpasswd = 'tester:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n';

export interface RegistryOptions {
  /** htpasswd, or tokens from the given realm, signed with testdata/ca.key. */
  readonly auth?: 'basic' | { readonly realm: string };
  /** Serve HTTPS with testdata/server.crt; 'client' also demands testdata/client.cert. */
  readonly tls?: boolean | 'client';
  /** Be a pull-through cache of this URL. */
  readonly proxyOf?: string;
}

export interface RunningRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`, as it stands in a reference. */
  readonly host: string;
  readonly url: string;
  /** What it has logged, for a test that counts requests. */
  log(): string;
}

/** Runs Debian's docker-registry on a free loopback port, its storage in a temporary directory. */
export async function startRegistry(options: RegistryOptions = {}): Promise<RunningRegistry> {
  const binary = await getRegistry();
  const directory = await mkdtemp(join(tmpdir(), 'berth-registry-'));
  let child: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise(resolve => child?.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await writeFile(join(directory, 'htpasswd'), htpasswd);
    await writeFile(join(directory, 'config.yml'), configuration(directory, options));
    child = spawn(binary, ['serve', join(directory, 'config.yml')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, OTEL_TRACES_EXPORTER: 'none' },
    });
    const kill = (): boolean | undefined => child?.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    const output = collect(child);
    const host = await output.listening;
    return {
      host,
      url: `${options.tls ? 'https' : 'http'}://${host}`,
      log: output.text,
      [Symbol.asyncDispose]: stop,
    };
  } catch (err) {
    await stop();
    throw err;
  }
}

function configuration(directory: string, { auth, tls, proxyOf }: RegistryOptions): string {
  const lines = [
    'version: 0.1',
    'log: { level: info }',
    `storage: { filesystem: { rootdirectory: ${directory}/data }, delete: { enabled: true } }`,
    'http:',
    '  addr: 127.0.0.1:0',
  ];
  if (tls) {
    lines.push('  tls:', `    certificate: ${testdata}/server.crt`, `    key: ${testdata}/server.key`);
    if (tls === 'client') lines.push(`    clientcas: [${testdata}/ca.crt]`);
  }
  if (auth === 'basic') lines.push(`auth: { htpasswd: { realm: test, path: ${directory}/htpasswd } }`);
  else if (auth !== undefined) {
    lines.push(
      'auth:',
      `  token: { realm: "${auth.realm}", service: test-registry, issuer: test-issuer, rootcertbundle: ${testdata}/ca.crt }`,
    );
  }
  if (proxyOf !== undefined) lines.push(`proxy: { remoteurl: ${proxyOf} }`);
  return `${lines.join('\n')}\n`;
}

function collect(child: ChildProcess): { listening: Promise<string>; text: () => string } {
  let text = '';
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(new Error(`docker-registry does not listen: ${text}`)), 20_000);
  const take = (chunk: Buffer): void => {
    if (text.length < 1 << 20) text += chunk.toString('latin1');
    const match = /listening on (127\.0\.0\.1:\d+)/.exec(text);
    if (match !== null) resolve(match[1] as string);
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  child.once('error', reject);
  child.once('exit', code => reject(new Error(`docker-registry exited with ${code}: ${text}`)));
  const listening = promise.finally(() => clearTimeout(timer));
  return { listening, text: () => text };
}
