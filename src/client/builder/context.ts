// What a build is made from: a directory, a tar or a Dockerfile on standard input, or a URL that the daemon fetches.

import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { IgnoreRules } from '../../patternmatcher/index.ts';
import { tarEnd, tarFile, tarTree } from '../archive/tar-writer.ts';

export interface BuildContext {
  readonly dockerfile: string;
  readonly remote?: string;
  /** Undefined for a URL. */
  readonly stream?: AsyncIterable<Buffer>;
}

const isUrl = (source: string): boolean => /^(https?|git|ssh):\/\//.test(source) || /^git@|^github\.com\//.test(source);

/** Opens it; throws Errors in Docker's words. */
export async function openContext(source: string, file: string): Promise<BuildContext> {
  if (isUrl(source)) return { dockerfile: file === '' ? 'Dockerfile' : file, remote: source };
  if (source === '-') return await fromStdin(file);
  return fromDirectory(source, file);
}

async function fromStdin(file: string): Promise<BuildContext> {
  const input = (process.stdin as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  const head: Buffer[] = [];
  let bytes = 0;
  while (bytes < 512) {
    const next = await input.next();
    if (next.done === true) break;
    head.push(next.value);
    bytes += next.value.length;
  }
  const start = Buffer.concat(head);
  const rest = async function* (): AsyncGenerator<Buffer, void, undefined> {
    yield start;
    for (let next = await input.next(); next.done !== true; next = await input.next()) yield next.value;
  };
  if (isArchive(start)) return { dockerfile: file === '' ? 'Dockerfile' : file, stream: rest() };
  if (file === '-') throw new Error("invalid argument: can't use stdin for both build context and dockerfile");
  // Not a tar: the Dockerfile itself.
  const parts: Buffer[] = [];
  for await (const part of rest()) parts.push(part);
  const name = hiddenName();
  return { dockerfile: name, stream: once(Buffer.concat([tarFile(name, Buffer.concat(parts), 0o600), tarEnd])) };
}

async function* once(data: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield data;
}

/** A tar, or one compressed by gzip, bzip2, xz or zstd. */
function isArchive(start: Buffer): boolean {
  const magic = ['1f8b08', '425a68', 'fd377a585a00', '28b52ffd'];
  if (magic.some(hex => start.subarray(0, hex.length / 2).toString('hex') === hex)) return true;
  return start.length >= 512 && start.toString('latin1', 257, 262) === 'ustar';
}

const hiddenName = (): string => `.dockerfile.${randomBytes(10).toString('hex')}`;

function fromDirectory(source: string, file: string): BuildContext {
  if (!existsSync(source)) throw new Error(`unable to prepare context: path ${JSON.stringify(source)} not found`);
  const root = realpathSync(source);
  if (!statSync(root).isDirectory())
    throw new Error(`unable to prepare context: context must be a directory: ${resolve(source)}`);
  let dockerfile = file === '' ? 'Dockerfile' : file;
  let outside: Buffer | undefined;
  if (file === '-') {
    outside = readFileSync(0);
    dockerfile = hiddenName();
  } else {
    const path =
      file === ''
        ? resolve(
            root,
            existsSync(`${root}/Dockerfile`)
              ? 'Dockerfile'
              : existsSync(`${root}/dockerfile`)
                ? 'dockerfile'
                : 'Dockerfile',
          )
        : resolve(file);
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
      throw new Error(
        `unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat ${path}: no such file or directory`,
      );
    }
    const inside = relative(root, realpathSync(path));
    if (inside.startsWith('../') || inside === '..') {
      outside = readFileSync(path);
      dockerfile = hiddenName();
    } else dockerfile = inside;
  }
  return { dockerfile, stream: directoryTar(root, dockerfile, outside) };
}

async function* directoryTar(
  root: string,
  dockerfile: string,
  outside: Buffer | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const ignoreFile = `${root}/.dockerignore`;
  const rules = IgnoreRules.parse(existsSync(ignoreFile) ? readFileSync(ignoreFile, 'utf8') : '');
  if (outside !== undefined) yield tarFile(dockerfile, outside, 0o600);
  yield* tarTree(root, {
    rename: '',
    include: (path, isDirectory) => {
      // The daemon needs both, and applies the rules itself where an instruction copies them.
      if (path === '.dockerignore' || path === dockerfile) return true;
      if (!rules.ignores(path)) return true;
      return isDirectory && (rules.hasExceptions || dockerfile.startsWith(`${path}/`)) ? 'descend' : false;
    },
  });
}
