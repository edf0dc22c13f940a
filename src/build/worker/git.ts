// ADD of a git repository, and git contexts. Git is a program of its own; where the machine lacks it, that is said.

import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgument, NotFound, NotImplemented } from '../../errdefs/index.ts';
import type { GitVertex } from '../graph/vertex.ts';

/** Checks out `remote` at `ref` into `directory`; gives the directory of the files. */
export async function fetchGit(vertex: GitVertex, directory: string, signal: AbortSignal): Promise<string> {
  // A name that looks like an option is no name.
  if (vertex.remote.startsWith('-') || vertex.ref.startsWith('-'))
    throw new InvalidArgument(`invalid git source "${vertex.remote}#${vertex.ref}"`);
  await git(['init', '-q', directory], signal);
  await git(['-C', directory, 'remote', 'add', 'origin', vertex.remote], signal);
  await git(['-C', directory, 'fetch', '-q', '--depth=1', 'origin', vertex.ref === '' ? 'HEAD' : vertex.ref], signal);
  await git(['-C', directory, '-c', 'advice.detachedHead=false', 'checkout', '-q', 'FETCH_HEAD'], signal);
  if (vertex.checksum !== undefined) {
    const commit = (await git(['-C', directory, 'rev-parse', 'HEAD'], signal)).trim();
    if (!commit.startsWith(vertex.checksum))
      throw new InvalidArgument(`expected checksum to match ${vertex.checksum}, got ${commit}`);
  }
  await git(['-C', directory, 'submodule', '-q', 'update', '--init', '--recursive', '--depth=1'], signal);
  if (!vertex.keepGitDir) rmSync(join(directory, '.git'), { recursive: true, force: true });
  const subdir = join('/', vertex.subdir);
  return join(directory, subdir);
}

function git(args: readonly string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, {
      signal,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: '/nonexistent',
        GIT_TERMINAL_PROMPT: '0',
        GIT_PROTOCOL_FROM_USER: '0',
        GIT_CONFIG_NOSYSTEM: '1',
      },
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (out.length < 1 << 20) out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (err.length < 1 << 16) err += chunk.toString();
    });
    child.once('error', cause => {
      const missing = (cause as { code?: string }).code === 'ENOENT';
      reject(missing ? new NotImplemented('git sources need the program git, which is not installed here') : cause);
    });
    child.once('close', code => {
      if (code === 0) resolve(out);
      else
        reject(
          new NotFound(
            `failed to fetch remote: git ${args.filter(arg => !arg.startsWith('-')).join(' ')}: ${err.trim()}`,
          ),
        );
    });
  });
}
