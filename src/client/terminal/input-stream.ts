import { createReadStream, statSync } from 'node:fs';
import { isatty } from './window.ts';

/** A file to send, or standard input for "" and "-", which may be no terminal where `refusal` is given. Throws Errors in Docker's words. */
export function openInput(path: string, refusal?: string): AsyncIterable<Buffer> {
  if (path === '' || path === '-') {
    if (refusal !== undefined && isatty(0)) throw new Error(refusal);
    return process.stdin as AsyncIterable<Buffer>;
  }
  try {
    statSync(path);
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') throw new Error(`open ${path}: no such file or directory`);
    throw err;
  }
  return createReadStream(path, { highWaterMark: 256 * 1024 });
}
