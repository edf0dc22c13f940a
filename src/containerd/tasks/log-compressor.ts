import { createReadStream, createWriteStream, readdirSync, statSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/**
 * Compresses rotated logs. The shim rotates and may do so again at any moment, so it alone renames: a file is compressed aside, and the
 * shim, told its inode, puts the result where that file is by then.
 */
export class LogCompressor {
  #last: Promise<void> = Promise.resolve();

  /** Compresses what has been rotated out of `path` and is not compressed yet, one file after the other. */
  compress(path: string, replace: (temporary: string, inode: number) => Promise<void>): void {
    this.#last = this.#last.then(() => compressAll(path, replace)).catch(() => {}); // it stays uncompressed, and readable
  }

  settled(): Promise<void> {
    return this.#last;
  }
}

async function compressAll(path: string, replace: (temporary: string, inode: number) => Promise<void>): Promise<void> {
  const directory = dirname(path);
  const prefix = `${basename(path)}.`;
  const done = new Set<number>();
  for (;;) {
    const found = readdirSync(directory)
      .filter(name => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
      .map(name => join(directory, name))
      .map(file => ({ file, inode: inodeOf(file) }))
      .find(({ inode }) => inode !== undefined && !done.has(inode));
    if (found?.inode === undefined) return;
    done.add(found.inode);
    await compressOne(found.file, found.inode, replace);
  }
}

async function compressOne(
  file: string,
  inode: number,
  replace: (temporary: string, inode: number) => Promise<void>,
): Promise<void> {
  const source = await open(file, 'r').catch(() => undefined);
  if (source === undefined) return;
  // Renamed since we looked: it will be found under its new name.
  if ((await source.stat()).ino !== inode) return source.close();
  const temporary = join(dirname(file), `.${inode}.gz`);
  try {
    await pipeline(
      createReadStream('', { fd: source }),
      createGzip({ level: 1 }),
      createWriteStream(temporary, { mode: 0o640 }),
    );
    await replace(temporary, inode);
  } finally {
    await rm(temporary, { force: true });
  }
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}
