import { closeSync, openSync, renameSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { writeFully } from './output.ts';
import { isatty } from './window.ts';

/** Saves a stream to a file, which appears only when it is whole, or to standard output, which may be no terminal. */
export async function saveStream(
  path: string,
  failure: string,
  open: () => Promise<AsyncIterable<Buffer>>,
): Promise<void> {
  if (path === '' || path === '-') {
    if (isatty(1)) throw new Error('cowardly refusing to save to a terminal. Use the -o flag or redirect');
    for await (const chunk of await open()) writeFully(1, chunk);
    return;
  }
  checkOutputPath(path, failure);
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

function checkOutputPath(path: string, failure: string): void {
  const directory = dirname(path);
  try {
    statSync(directory);
  } catch {
    throw new Error(`${failure}: invalid output path: stat ${directory}: no such file or directory`);
  }
  const info = statSync(path, { throwIfNoEntry: false });
  if (info === undefined) return;
  if (info.isDirectory()) throw new Error(`${failure}: invalid output path: ${JSON.stringify(path)} is a directory`);
  if (!info.isFile())
    throw new Error(`${failure}: invalid output path: ${JSON.stringify(path)} must be a directory or a regular file`);
}
