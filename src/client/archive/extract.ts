// Writing of a tar's entries below a directory, such that nothing lands outside it.

import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { InvalidArgument } from '../../errdefs/index.ts';
import { readTar } from './tar-reader.ts';

/** Path of an entry below the root, from a name that may be hostile; undefined for the root itself. */
function safePath(root: string, name: string): string | undefined {
  const parts = name.split('/').filter(part => part !== '' && part !== '.');
  if (parts.includes('..'))
    throw new InvalidArgument(`archive entry ${JSON.stringify(name)} is outside of the destination`);
  return parts.length === 0 ? undefined : `${root}/${parts.join('/')}`;
}

/** Makes the parents of a path; a symbolic link among them, which the archive may have brought, is not followed. */
function makeParents(root: string, path: string): void {
  const missing: string[] = [];
  for (let at = dirname(path); at.length > root.length; at = dirname(at)) {
    const info = lstatSync(at, { throwIfNoEntry: false });
    if (info === undefined) missing.push(at);
    else if (!info.isDirectory()) throw new InvalidArgument(`archive entry below ${at}, which is not a directory`);
  }
  for (const directory of missing.reverse()) mkdirSync(directory, 0o755);
}

export interface ExtractOptions {
  /** New name of an entry, from its old one. */
  readonly rename: (name: string) => string;
}

/** Extracts into an existing directory. Owners stay ours. An existing directory is never replaced by a file, nor a file by a directory. */
export async function extractTar(source: AsyncIterable<Buffer>, root: string, options: ExtractOptions): Promise<void> {
  // Times of directories last: entries in them change these.
  const directoryTimes: (readonly [string, number])[] = [];
  for await (const entry of readTar(source)) {
    const path = safePath(root, options.rename(entry.name));
    if (path === undefined) continue;
    makeParents(root, path);
    const existing = lstatSync(path, { throwIfNoEntry: false });
    if (existing?.isDirectory() === true && entry.type !== '5') {
      throw new InvalidArgument(`cannot overwrite directory "${path}" with non-directory "${root}"`);
    }
    if (existing !== undefined && !existing.isDirectory() && entry.type === '5') {
      throw new InvalidArgument(`cannot overwrite non-directory "${path}" with directory "${root}"`);
    }
    if (existing !== undefined && entry.type !== '5') rmSync(path);
    const seconds = entry.mtimeMs / 1000;
    switch (entry.type) {
      case '5':
        if (existing === undefined) mkdirSync(path);
        chmodSync(path, entry.mode);
        directoryTimes.push([path, seconds]);
        break;
      case '2':
        symlinkSync(entry.linkName, path);
        lutimesSync(path, seconds, seconds);
        break;
      case '1': {
        const target = safePath(root, options.rename(entry.linkName));
        if (target === undefined)
          throw new InvalidArgument(`archive entry ${JSON.stringify(entry.name)} links to nothing`);
        makeParents(root, target);
        linkSync(target, path);
        break;
      }
      case '0': {
        const fd = openSync(path, 'wx', 0o600);
        try {
          for await (const chunk of entry.content())
            for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
        } finally {
          closeSync(fd);
        }
        chmodSync(path, entry.mode);
        utimesSync(path, seconds, seconds);
        break;
      }
      default:
        process.stderr.write(
          `WARNING: skipped ${JSON.stringify(entry.name)}: devices, pipes and sockets are not copied\n`,
        );
    }
  }
  for (const [path, seconds] of directoryTimes.reverse()) utimesSync(path, seconds, seconds);
}
