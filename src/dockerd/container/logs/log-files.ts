// The files of one log, oldest first: NAME.2.gz, NAME.1, NAME. And where the last n lines begin in them.

import { type FileHandle, open, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { localRecordFromEnd } from './local-decoder.ts';

const gunzip = promisify(zlib.gunzip);

export interface LogFile {
  readonly path: string;
  /** 0 is the one that is written. */
  readonly generation: number;
  readonly compressed: boolean;
}

/** What there is of a log, oldest first. */
export async function logFiles(current: string): Promise<LogFile[]> {
  const base = path.basename(current);
  const found: LogFile[] = [];
  let names: string[];
  try {
    names = await readdir(path.dirname(current));
  } catch {
    return [];
  }
  for (const name of names) {
    if (!name.startsWith(base)) continue;
    const match = /^(?:\.(\d+))?(\.gz)?$/.exec(name.slice(base.length));
    if (match === null) continue;
    found.push({
      path: path.join(path.dirname(current), name),
      generation: Number(match[1] ?? 0),
      compressed: match[2] !== undefined,
    });
  }
  return found.sort((a, b) => b.generation - a.generation);
}

const chunkBytes = 256 << 10;
const newline = 10;

/** The bytes of a file from an offset to its present end, in pieces; the buffer is reused. Compressed ones are inflated whole: they are bounded by max-size. */
export async function* readPieces(file: LogFile, from = 0): AsyncGenerator<Buffer> {
  if (file.compressed) {
    yield (await gunzip(await readFile(file.path))).subarray(from);
    return;
  }
  await using handle = await open(file.path, 'r');
  yield* piecesOf(handle, from);
}

/** The same of an open file; the answer of the last piece's end is where the next reading begins. */
export async function* piecesOf(handle: FileHandle, from: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(chunkBytes);
  for (let at = from; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, chunkBytes, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

export interface Position {
  /** Index in the list of files. */
  readonly file: number;
  readonly offset: number;
}

export type LogFormat = 'json-file' | 'local';

/** Where the last `count` lines begin, found by reading backwards. */
export async function tailPosition(
  files: readonly LogFile[],
  count: number,
  format: LogFormat = 'json-file',
): Promise<Position> {
  let missing = count;
  for (let index = files.length - 1; index >= 0; index--) {
    const file = files[index]!;
    if (missing === 0) return { file: index, offset: await sizeOf(file) };
    const found = await (format === 'local' ? recordFromEnd : lineFromEnd)(file, missing);
    if (found.offset !== undefined) return { file: index, offset: found.offset };
    missing -= found.lines;
  }
  return { file: 0, offset: 0 };
}

async function sizeOf(file: LogFile): Promise<number> {
  if (file.compressed) return (await gunzip(await readFile(file.path))).length;
  return (await stat(file.path)).size;
}

/** Offset of the count-th line from the end, or how many lines there are when they are fewer (or just as many). */
async function lineFromEnd(file: LogFile, count: number): Promise<{ lines: number; offset?: number }> {
  if (file.compressed) {
    const bytes = await gunzip(await readFile(file.path));
    const { newlines, offset } = countBack(bytes, bytes.length, count, 0);
    return offset === undefined ? { lines: newlines } : { lines: count, offset };
  }
  await using handle = await open(file.path, 'r');
  const { size } = await handle.stat();
  const buffer = Buffer.allocUnsafe(chunkBytes);
  let seen = 0;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - chunkBytes);
    const { bytesRead } = await handle.read(buffer, 0, end - start, start);
    const { newlines, offset } = countBack(buffer, bytesRead, count, seen);
    if (offset !== undefined) return { lines: count, offset: start + offset };
    seen = newlines;
    end = start;
  }
  return { lines: seen };
}

async function recordFromEnd(file: LogFile, count: number): Promise<{ lines: number; offset?: number }> {
  if (file.compressed) {
    const bytes = await gunzip(await readFile(file.path));
    return localRecordFromEnd(bytes.length, count, async (from, to) => bytes.subarray(from, to));
  }
  await using handle = await open(file.path, 'r');
  const { size } = await handle.stat();
  return await localRecordFromEnd(size, count, async (from, to) => {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(to - from), 0, to - from, from);
    return buffer.subarray(0, bytesRead);
  });
}

/** Counts line ends from the back. The (count + 1)-th of them stands right before the line that is wanted. */
function countBack(bytes: Buffer, length: number, count: number, seen: number): { newlines: number; offset?: number } {
  let newlines = seen;
  for (let at = length - 1; at >= 0; at--) {
    at = bytes.lastIndexOf(newline, at);
    if (at < 0) break;
    if (newlines === count) return { newlines, offset: at + 1 };
    newlines++;
  }
  return { newlines };
}
