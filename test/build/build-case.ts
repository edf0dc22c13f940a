// Builds one case on an engine and says what came of it.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { command } from '../harness/command.ts';
import { pluginDir } from '../harness/plugins.ts';
import type { Case } from './cases.ts';
import { type ImageFacts, imageFacts } from './image-files.ts';

export type Result = ImageFacts | { readonly error: string };

/** Classic is POST /build, BuildKit is buildx over /grpc. */
export type Door = 'classic' | 'buildkit';

/** Where Debian and Docker's own packages put the plugin. */
const pluginDirs = [
  ...[await pluginDir()].filter(dir => dir !== undefined),
  '/usr/libexec/docker/cli-plugins',
  '/usr/local/libexec/docker/cli-plugins',
  '/usr/lib/docker/cli-plugins',
  '/usr/local/lib/docker/cli-plugins',
  `${process.env.ORACLE_DIR ?? '/var/tmp/oracle'}/rootfs/usr/libexec/docker/cli-plugins`,
];

/** The folder with docker-buildx; undefined where the machine has none. */
export const buildxDir = (): string | undefined => pluginDirs.find(dir => existsSync(join(dir, 'docker-buildx')));

/** An environment in which the CLI finds buildx, its files in `configDir`. */
export function withBuildx(env: NodeJS.ProcessEnv, configDir: string): NodeJS.ProcessEnv {
  mkdirSync(configDir, { recursive: true });
  writeFileSync(join(configDir, 'config.json'), JSON.stringify({ cliPluginsExtraDirs: pluginDirs }));
  return { ...env, DOCKER_CONFIG: configDir };
}

export function writeContext(test: Case): string {
  const dir = mkdtempSync(join(tmpdir(), 'berth-case-'));
  writeFileSync(join(dir, 'Dockerfile'), test.dockerfile);
  for (const [path, file] of Object.entries(test.files)) {
    const full = join(dir, path);
    mkdirSync(dirname(full), { recursive: true });
    const given = typeof file === 'string' ? { content: file } : file;
    if (given.link !== undefined) symlinkSync(given.link, full);
    else {
      writeFileSync(full, given.content ?? '');
      chmodSync(full, given.mode ?? 0o644);
    }
  }
  return dir;
}

export async function buildCase(env: NodeJS.ProcessEnv, socket: string, test: Case, door: Door): Promise<Result> {
  const dir = writeContext(test);
  const tag = `berth-case-${test.name}:${process.pid}`;
  const args = [
    ...Object.entries(test.buildArgs).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
    ...(test.target === undefined ? [] : ['--target', test.target]),
    '-t',
    tag,
    dir,
  ];
  try {
    const built =
      door === 'classic'
        ? await command('docker', ['build', ...args], { env: { ...env, DOCKER_BUILDKIT: '0' } })
        : await command('docker', ['buildx', 'build', '--provenance=false', '--progress', 'plain', '--load', ...args], {
            env,
          });
    if (built.code !== 0) return { error: errorOf(built.stderr, door) };
    return await imageFacts(await save(socket, tag));
  } finally {
    rmSync(dir, { recursive: true, force: true });
    await command('docker', ['rmi', '-f', tag], { env });
  }
}

/** What the client shows last: the message without progress before it. */
function errorOf(stderr: string, door: Door): string {
  const text = door === 'classic' ? stderr.replace(/^DEPRECATED[\s\S]*?variable\.\n\n/, '') : stderr;
  const excerpt = /(?:^|\n)(Dockerfile:\d+\n-{20}\n[\s\S]*?\n-{20})\n/.exec(text)?.[1];
  const message = /(?:^|\n)ERROR: ((?:[^\n]|\n(?!$))*)\n?$/.exec(text)?.[1] ?? text.trim();
  return `${excerpt === undefined ? '' : `${excerpt}\n`}${message}`
    .replace(/ref \S+::\S+:/g, 'ref REF:')
    .replace(/\n\nView build details:[\s\S]*$/, '');
}

function save(socketPath: string, name: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: `/images/${name}/get` }, answer => {
      const chunks: Buffer[] = [];
      answer.on('data', chunk => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () => {
        if (answer.statusCode === 200) resolve(Buffer.concat(chunks));
        else reject(new Error(`save of ${name}: ${answer.statusCode} ${Buffer.concat(chunks)}`));
      });
    });
    call.once('error', reject);
    call.end();
  });
}

/** What a case adds to the base, changes in it or takes away: the base's own files stand in one golden only. */
export function lessBase(result: Result, base: readonly string[]): Result {
  if ('error' in result) return result;
  const here = new Set(result.files);
  const below = new Set(base);
  // On nothing, all that is there is its own.
  if (!base.some(line => here.has(line))) return result;
  return {
    ...result,
    files: [
      ...result.files.filter(line => !below.has(line)),
      ...base.filter(line => !here.has(line)).map(line => `gone: ${line}`),
    ],
  };
}
