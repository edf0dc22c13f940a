import { closeSync, lstatSync, openSync, renameSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { writeFully } from './output.ts';
import { isatty } from './window.ts';

/** Saves a stream to a file, which appears only when it is whole, or to standard output, which may be no terminal. */
export async function saveStream(
  path: string,
  refusal: string,
  open: () => Promise<AsyncIterable<Buffer>>,
): Promise<void> {
  if (path === '' || path === '-') {
    if (isatty(1)) throw new Error(refusal);
    for await (const chunk of await open()) writeFully(1, chunk);
    return;
  }
  checkOutputPath(path);
  const stream = await open();
  const temporary = `${dirname(path)}/.tmp-${basename(path)}${process.pid}`;
  const fd = openSync(temporary, 'w', 0o600);
  try {
    for await (const chunk of stream) for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
    closeSync(fd);
    renameSync(temporary, path);
  } catch (err) {
    unlinkSync(temporary);
    throw err;
  }
}

function checkOutputPath(path: string): void {
  const directory = dirname(path);
  try {
    statSync(directory);
  } catch {
    throw new Error(
      `failed to export container: invalid output path: directory ${JSON.stringify(directory)} does not exist`,
    );
  }
  try {
    if (lstatSync(path).isDirectory()) throw new Error('is a directory');
    const info = lstatSync(path);
    if (info.isBlockDevice() || info.isCharacterDevice())
      throw new Error(`invalid output path: "${path}" must be a directory or a regular file`);
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ENOENT') throw err;
  }
}
