import { lstatSync, realpathSync, statSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { fileModeBits, type PathStat } from '../../api/index.ts';
import { isNotFound } from '../../errdefs/index.ts';
import { extractTar } from '../archive/extract.ts';
import { tarTree } from '../archive/tar-writer.ts';
import type { Cli } from '../cli.ts';
import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import type { Flags } from '../command/flags.ts';
import { humanSize } from '../format/units.ts';
import { segment } from '../http/engine.ts';
import { programName } from '../program.ts';
import { writeFully } from '../terminal/output.ts';
import { isatty } from '../terminal/window.ts';
import { placeCopy } from './copy-placement.ts';

export const cp: Command = {
  usage: `[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\t${programName} cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH`,
  description:
    "Copy files/folders between a container and the local filesystem\n\nUse '-' as the source to read a tar archive from stdin\nand extract it to a directory destination in a container.\nUse '-' as the destination to stream a tar archive of a\ncontainer source to stdout.",
  names: ['container cp', 'cp'],
  flags: [
    flag.bool('archive', 'a', 'Archive mode (copy all uid/gid information)'),
    flag.bool('follow-link', 'L', 'Always follow symbol link in SRC_PATH'),
    flag.bool(
      'quiet',
      'q',
      'Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached',
    ),
  ],
  arity: { kind: 'exactly', count: 2 },
  completes: 'containers',
  run: async ({ cli, args, flags }) => {
    const [source = '', target = ''] = args;
    if (source === '') throw new Error('source can not be empty');
    if (target === '') throw new Error('destination can not be empty');
    const from = splitSpec(source);
    const to = splitSpec(target);
    if (from.container !== '' && to.container !== '') throw new Error('copying between containers is not supported');
    if (from.container === '' && to.container === '') throw new Error('must specify at least one container source');
    if (from.container !== '') await copyFrom(cli, from.container, from.path, target, flags);
    else await copyTo(cli, source, to.container, to.path, target, flags);
  },
};

/** "container:path"; a path that begins with / or . is a local one whatever colons follow. */
function splitSpec(spec: string): { readonly container: string; readonly path: string } {
  const colon = spec.indexOf(':');
  if (colon < 0 || /^[/.]/.test(spec)) return { container: '', path: spec };
  return { container: spec.slice(0, colon), path: spec.slice(colon + 1) };
}

const isDirectory = (stat: PathStat): boolean => stat.mode >= fileModeBits.directory;
const isSymlink = (stat: PathStat): boolean => (stat.mode & fileModeBits.symlink) !== 0;

async function containerStat(cli: Cli, container: string, path: string): Promise<PathStat> {
  // HEAD has no body to tell what is wrong: the words are ours, as Docker's are its client's.
  const response = await cli.engine.request('HEAD', `/containers/${segment(container)}/archive`, {
    query: { path },
    accept: [404, 400, 500, 403],
  });
  const header = response.headers.get('x-docker-container-path-stat');
  if (header !== undefined) return JSON.parse(Buffer.from(header, 'base64').toString()) as PathStat;
  await cli.engine.json('GET', `/containers/${segment(container)}/json`);
  throw new PathNotFound(`Error response from daemon: Could not find the file ${path} in container ${container}`);
}

class PathNotFound extends Error {
  readonly code = 'NotFound';
}

/** Absolute, with the trailing slash or dot that says it is a directory. */
function absolute(path: string): string {
  const joined = posix.join('/', path);
  return /\/\.$/.test(path) && path !== '/.' ? `${joined.replace(/\/$/, '')}/.` : joined;
}

async function copyFrom(cli: Cli, container: string, sourcePath: string, target: string, flags: Flags): Promise<void> {
  let path = absolute(sourcePath);
  let rebase = '';
  if (flags.bool('follow-link')) {
    const stat = await containerStat(cli, container, path).catch(() => undefined);
    if (stat !== undefined && isSymlink(stat)) {
      rebase = posix.basename(path);
      path = posix.isAbsolute(stat.linkTarget) ? stat.linkTarget : posix.join(posix.dirname(path), stat.linkTarget);
    }
  }
  if (target !== '-') checkLocalTarget(target);
  const response = await cli.engine
    .request('GET', `/containers/${segment(container)}/archive`, { query: { path } })
    .catch((err: Error) => {
      throw isNotFound(err) && /Could not find the file/.test(err.message)
        ? new PathNotFound(`Error response from daemon: Could not find the file ${path} in container ${container}`)
        : err;
    });
  if (target === '-') {
    for await (const chunk of response.body()) writeFully(1, chunk);
    return;
  }
  const stat = JSON.parse(
    Buffer.from(response.headers.get('x-docker-container-path-stat') ?? '', 'base64').toString(),
  ) as PathStat;
  const local = resolveLinks(target);
  const info = statSync(local, { throwIfNoEntry: false });
  const topName = rebase !== '' && /\/\.$/.test(path) ? '.' : posix.basename(path.replace(/\/\.$/, '')) || '/';
  const placement = placeCopy(
    { name: rebase || topName, isDirectory: isDirectory(stat), contentOnly: /\/\.$/.test(sourcePath) },
    {
      path: local,
      exists: info !== undefined,
      isDirectory: info?.isDirectory() === true,
      mustBeDirectory: /\/\.?$/.test(target),
    },
  );
  let bytes = 0;
  const counted = async function* (): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of response.body()) {
      bytes += chunk.length;
      yield chunk;
    }
  };
  await extractTar(counted(), placement.directory, { rename: name => renameTop(name, placement.name) });
  report(cli, flags, bytes, target);
}

/** The top entry's new name; '' takes it away, so that only what is in it is left. The top of "path/." is called ".". */
function renameTop(name: string, top: string): string {
  const slash = name.indexOf('/');
  const rest = slash < 0 ? '' : name.slice(slash);
  return top === '' ? rest : top + rest;
}

async function copyTo(
  cli: Cli,
  source: string,
  container: string,
  targetPath: string,
  target: string,
  flags: Flags,
): Promise<void> {
  let path = absolute(targetPath);
  let stat = await containerStat(cli, container, path).catch((err: Error) =>
    err instanceof PathNotFound ? undefined : Promise.reject(err),
  );
  if (stat !== undefined && isSymlink(stat)) {
    path = posix.isAbsolute(stat.linkTarget) ? stat.linkTarget : posix.join(posix.dirname(path), stat.linkTarget);
    stat = await containerStat(cli, container, path).catch(() => undefined);
  }
  const put = async (directory: string, stream: AsyncIterable<Uint8Array>): Promise<void> => {
    await cli.engine
      .send('PUT', `/containers/${segment(container)}/archive`, {
        query: { path: directory, noOverwriteDirNonDir: true, copyUIDGID: flags.bool('archive') || undefined },
        contentType: 'application/x-tar',
        stream,
      })
      .catch((err: Error) => {
        throw isNotFound(err) && /Could not find the file/.test(err.message)
          ? new PathNotFound(
              `Error response from daemon: Could not find the file ${directory} in container ${container}`,
            )
          : err;
      });
  };
  if (source === '-') {
    if (stat !== undefined && !isDirectory(stat))
      throw new Error(`destination "${container}:${path}" must be a directory`);
    await put(path, process.stdin as AsyncIterable<Buffer>);
    return;
  }
  const local = localSource(source, flags.bool('follow-link'));
  const placement = placeCopy(
    { name: posix.basename(resolve(source)), isDirectory: local.isDirectory, contentOnly: /(^|\/)\.$/.test(source) },
    {
      path,
      exists: stat !== undefined,
      isDirectory: stat !== undefined && isDirectory(stat),
      mustBeDirectory: /\/\.?$/.test(targetPath),
    },
  );
  let bytes = 0;
  const counted = async function* (): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of tarTree(local.path, { rename: placement.name })) {
      bytes += chunk.length;
      yield chunk;
    }
  };
  await put(placement.directory, counted());
  report(cli, flags, bytes, target);
}

function localSource(source: string, follow: boolean): { readonly path: string; readonly isDirectory: boolean } {
  const path = resolve(source);
  const info = lstatSync(path, { throwIfNoEntry: false });
  if (info === undefined) throw new Error(`lstat ${path}: no such file or directory`);
  // A trailing slash or dot asks for the directory behind a link.
  if (follow || /\/\.?$/.test(source)) {
    const real = realpathSync(path);
    const isDirectory = statSync(real).isDirectory();
    if (/\/\.?$/.test(source) && !isDirectory) throw new Error('not a directory');
    return { path: real, isDirectory };
  }
  return { path, isDirectory: info.isDirectory() };
}

function checkLocalTarget(target: string): void {
  const directory = /\/$/.test(target) ? target : posix.dirname(target);
  if (/\/$/.test(target)) return; // placeCopy judges it
  if (statSync(directory, { throwIfNoEntry: false }) === undefined) {
    throw new Error(`invalid output path: directory ${JSON.stringify(directory)} does not exist`);
  }
}

function resolveLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

function report(cli: Cli, flags: Flags, bytes: number, target: string): void {
  if (!flags.bool('quiet') && isatty(2)) cli.error(`Successfully copied ${humanSize(bytes, 3)} to ${target}`);
}
