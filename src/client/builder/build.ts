import { writeFileSync } from 'node:fs';
import type { Cli } from '../cli.ts';
import { type Command, StatusError } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import type { Flags } from '../command/flags.ts';
import { addressOf, type Credentials, findCredentials } from '../config/credentials.ts';
import { contextName } from '../config/global-options.ts';
import { proxyVariables } from '../config/proxies.ts';
import { parseUlimit } from '../container/ulimit-flag.ts';
import { showProgress } from '../terminal/progress.ts';
import { isatty } from '../terminal/window.ts';

export const build: Command = {
  usage: '[OPTIONS] PATH | URL | -',
  description: 'Build an image from a Dockerfile',
  names: ['image build', 'build', 'builder build'],
  flags: [
    flag.list('add-host', '', 'Add a custom host-to-IP mapping ("host:ip")'),
    flag.list('build-arg', '', 'Set build-time variables'),
    flag.strings('cache-from', '', 'Images to consider as cache sources'),
    flag.string('cgroup-parent', '', 'Set the parent cgroup for the "RUN" instructions during build'),
    flag.bool('compress', '', 'Compress the build context using gzip'),
    flag.int('cpu-period', '', 'Limit the CPU CFS (Completely Fair Scheduler) period'),
    flag.int('cpu-quota', '', 'Limit the CPU CFS (Completely Fair Scheduler) quota'),
    flag.int('cpu-shares', 'c', 'CPU shares (relative weight)'),
    flag.string('cpuset-cpus', '', 'CPUs in which to allow execution (0-3, 0,1)'),
    flag.string('cpuset-mems', '', 'MEMs in which to allow execution (0-3, 0,1)'),
    flag.bool('disable-content-trust', '', 'Skip image verification', { shownDefault: 'true', initial: true }),
    flag.string('file', 'f', 'Name of the Dockerfile (Default is "PATH/Dockerfile")'),
    flag.bool('force-rm', '', 'Always remove intermediate containers'),
    flag.string('iidfile', '', 'Write the image ID to the file'),
    flag.string('isolation', '', 'Container isolation technology'),
    flag.list('label', '', 'Set metadata for an image'),
    flag.bytes('memory', 'm', 'Memory limit'),
    flag.bytes('memory-swap', '', 'Swap limit equal to memory plus swap: -1 to enable unlimited swap'),
    flag.string('network', '', 'Set the networking mode for the RUN instructions during build', {
      shownDefault: '"default"',
      initial: 'default',
    }),
    flag.bool('no-cache', '', 'Do not use cache when building the image'),
    flag.string('platform', '', 'Set platform if server is multi-platform capable'),
    flag.bool('pull', '', 'Always attempt to pull a newer version of the image'),
    flag.bool('quiet', 'q', 'Suppress the build output and print image ID on success'),
    flag.bool('rm', '', 'Remove intermediate containers after a successful build', {
      shownDefault: 'true',
      initial: true,
    }),
    flag.strings('security-opt', '', 'Security options'),
    flag.bytes('shm-size', '', 'Size of "/dev/shm"'),
    flag.list('tag', 't', 'Name and optionally a tag in the "name:tag" format'),
    flag.string('target', '', 'Set the target build stage to build.'),
    flag.list('ulimit', '', 'Ulimit options', { typeName: 'ulimit', shownDefault: '[]' }),
  ],
  arity: { kind: 'exactly', count: 1 },
  run: async ({ cli, args, flags }) => await buildClassic(cli, args[0]!, flags),
};

/** POST /build: the context as a tar, progress as text. BuildKit's way is the buildx plugin's. */
async function buildClassic(cli: Cli, source: string, flags: Flags): Promise<number> {
  const quiet = flags.bool('quiet');
  const { openContext } = await import('./context.ts'); // brings the rules of .dockerignore, which a plugin's build needs not
  const context = await openContext(source, flags.string('file'));
  const response = await cli.engine.request('POST', '/build', {
    query: { ...buildQuery(cli, flags), dockerfile: context.dockerfile, remote: context.remote },
    headers: { 'X-Registry-Config': Buffer.from(JSON.stringify(await allCredentials(cli))).toString('base64url') },
    contentType: 'application/x-tar',
    ...(context.stream !== undefined && {
      stream: announced(cli, flags.bool('compress') ? compressed(context.stream) : context.stream, quiet),
    }),
  });
  let imageId = '';
  let shown = '';
  try {
    await showProgress(response, {
      fd: quiet ? undefined : 1,
      onAux: aux => {
        imageId = (aux as { ID?: string }).ID ?? imageId;
      },
      onText: text => {
        shown += text;
      },
    });
  } catch (err) {
    if (quiet) cli.error(shown.trimEnd());
    throw err;
  }
  // With -q the daemon says the image's id and nothing else.
  if (quiet) cli.print(imageId || shown.trim());
  if (flags.string('iidfile') !== '') writeFileSync(flags.string('iidfile'), imageId);
  return 0;
}

/** The daemon sees by itself that the context is compressed. */
async function* compressed(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const { createGzip } = await import('node:zlib');
  const { Readable } = await import('node:stream');
  yield* Readable.from(stream).pipe(createGzip()) as AsyncIterable<Buffer>;
}

/** Docker's first line, once the size is known. */
async function* announced(
  cli: Cli,
  stream: AsyncIterable<Buffer>,
  quiet: boolean,
): AsyncGenerator<Buffer, void, undefined> {
  const { humanSize } = await import('../format/units.ts');
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (!quiet && isatty(1)) cli.write(`Sending build context to Docker daemon  ${humanSize(bytes)}\r`);
    yield chunk;
  }
  if (!quiet) cli.print(`Sending build context to Docker daemon  ${humanSize(bytes)}`);
}

const pairs = (values: readonly string[]): Record<string, string | null> =>
  Object.fromEntries(
    values.map(value => {
      const at = value.indexOf('=');
      return at < 0 ? [value, process.env[value] ?? null] : [value.slice(0, at), value.slice(at + 1)];
    }),
  );

function buildQuery(cli: Cli, flags: Flags): Record<string, string | number | boolean | readonly string[] | undefined> {
  const labels = Object.fromEntries(
    Object.entries(pairs(flags.list('label'))).map(([key, value]) => [key, value ?? '']),
  );
  return {
    buildargs: JSON.stringify({
      ...proxyVariables(cli.config, cli.engine.endpoint.url),
      ...pairs(flags.list('build-arg')),
    }),
    cachefrom: JSON.stringify(flags.list('cache-from')),
    cgroupparent: flags.string('cgroup-parent'),
    cpuperiod: flags.number('cpu-period'),
    cpuquota: flags.number('cpu-quota'),
    cpusetcpus: flags.string('cpuset-cpus'),
    cpusetmems: flags.string('cpuset-mems'),
    cpushares: flags.number('cpu-shares'),
    extrahosts:
      flags.list('add-host').length === 0 ? undefined : flags.list('add-host').map(host => host.replace(/[=:]/, ':')),
    forcerm: flags.bool('force-rm') || undefined,
    isolation: flags.string('isolation') || undefined,
    labels: JSON.stringify(labels),
    memory: flags.number('memory'),
    memswap: flags.number('memory-swap'),
    networkmode: flags.string('network'),
    nocache: flags.bool('no-cache') || undefined,
    platform: flags.string('platform') || undefined,
    pull: flags.bool('pull') || undefined,
    q: flags.bool('quiet') || undefined,
    rm: flags.bool('rm') ? '1' : '0',
    securityopt: flags.list('security-opt').length === 0 ? undefined : JSON.stringify(flags.list('security-opt')),
    shmsize: flags.number('shm-size'),
    t: flags.list('tag'),
    target: flags.string('target'),
    ulimits: JSON.stringify(flags.list('ulimit').map(parseUlimit)),
    version: '1',
  };
}

async function allCredentials(cli: Cli): Promise<Record<string, Credentials>> {
  const addresses = new Set([
    ...Object.keys(cli.config.auths ?? {}),
    ...Object.keys(cli.config.credHelpers ?? {}).map(addressOf),
  ]);
  return Object.fromEntries(
    await Promise.all(
      [...addresses].map(async address => [address, await findCredentials(cli.config, address)] as const),
    ),
  );
}

/** Whether BuildKit is wanted and there: then `build` is the buildx plugin's, as in Docker's client. */
export async function usesBuildx(cli: Cli): Promise<boolean> {
  const asked = process.env.DOCKER_BUILDKIT;
  if (asked !== undefined && asked !== '') {
    if (/^(1|t|true)$/i.test(asked)) return true;
    if (/^(0|f|false)$/i.test(asked)) return false;
    throw new StatusError('DOCKER_BUILDKIT environment variable expects boolean value', 1);
  }
  try {
    return (await cli.engine.ping()).builderVersion === '2';
  } catch {
    return false; // the command itself will tell
  }
}

/** What the plugin needs to know of our context. */
export const buildxEnvironment = (cli: Cli): Record<string, string> =>
  process.env.BUILDX_BUILDER === undefined ? { BUILDX_BUILDER: contextName(cli.options, cli.config) } : {};
