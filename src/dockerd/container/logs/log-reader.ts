// Reading a container's log: the lines there are, then, with follow, those that come, over rotations, until the container has ended and
// its log is drained.

import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import path from 'node:path';
import { type DecodeOptions, JsonFileDecoder } from './json-file-decoder.ts';
import { LocalDecoder } from './local-decoder.ts';
import { type LogFile, type LogFormat, logFiles, piecesOf, readPieces, tailPosition } from './log-files.ts';

export interface ReadLogOptions extends DecodeOptions {
  /** The last so many lines; undefined: all. */
  readonly tail?: number;
  /** Default json-file. */
  readonly format?: LogFormat;
}

/** Told by whoever knows when the container's output has ended. */
export interface Following {
  /** Resolves when the container has ended and its output is in the log. */
  readonly ended: Promise<void>;
  readonly signal: AbortSignal;
}

type Decoder = JsonFileDecoder | LocalDecoder;

/** Writes output; resolves when more may be written. */
export type Sink = (bytes: Buffer) => Promise<void> | void;

/** Sends the log at `file` to `sink`; with `following` also what is written later. */
export async function readLog(file: string, options: ReadLogOptions, sink: Sink, following?: Following): Promise<void> {
  const decoder = options.format === 'local' ? new LocalDecoder(options) : new JsonFileDecoder(options);
  // The watch begins before the first read, so that no line falls between.
  using changes = following === undefined ? undefined : new Changes(path.dirname(file), following);
  const files = await logFiles(file);
  const start =
    options.tail === undefined ? { file: 0, offset: 0 } : await tailPosition(files, options.tail, options.format);
  let current: OpenFile | undefined;
  try {
    for (let index = start.file; index < files.length; index++) {
      const each = files[index]!;
      const from = index === start.file ? start.offset : 0;
      if (each.generation === 0) {
        current = await OpenFile.open(each.path, from);
        if (current === undefined) break;
        await drain(
          piecesOf(current.handle, from),
          decoder,
          sink,
          bytes => (current!.offset += bytes),
          following?.signal,
        );
      } else await drain(readPieces(each, from), decoder, sink, () => {}, following?.signal);
      if (decoder.ended) return;
    }
    if (changes === undefined || following === undefined) return;
    for (;;) {
      const last = !(await changes.next());
      if (following.signal.aborted) return;
      current = await catchUp(file, current, decoder, sink, following.signal);
      if (last || decoder.ended || following.signal.aborted) return;
    }
  } finally {
    await current?.handle.close();
  }
}

async function drain(
  pieces: AsyncGenerator<Buffer>,
  decoder: Decoder,
  sink: Sink,
  read: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  for await (const piece of pieces) {
    read(piece.length);
    const output = decoder.push(piece);
    if (output.length > 0) await sink(output);
    if (decoder.ended || signal?.aborted === true) return;
  }
}

class OpenFile {
  readonly handle: FileHandle;
  readonly inode: number;
  offset: number;

  private constructor(handle: FileHandle, inode: number, offset: number) {
    this.handle = handle;
    this.inode = inode;
    this.offset = offset;
  }

  static async open(file: string, offset: number): Promise<OpenFile | undefined> {
    try {
      const handle = await open(file, 'r');
      return new OpenFile(handle, (await handle.stat()).ino, offset);
    } catch {
      return undefined;
    }
  }
}

/** Reads what is new; when the file has been rotated away, its rest, then all younger ones. */
async function catchUp(
  file: string,
  current: OpenFile | undefined,
  decoder: Decoder,
  sink: Sink,
  signal: AbortSignal,
): Promise<OpenFile | undefined> {
  if (current !== undefined) {
    const of = current;
    await drain(piecesOf(of.handle, of.offset), decoder, sink, bytes => (of.offset += bytes), signal);
    const now = await stat(file).catch(() => undefined);
    if (now === undefined || now.ino === current.inode) return current;
    // Written between our last read and the rename.
    await drain(piecesOf(of.handle, of.offset), decoder, sink, bytes => (of.offset += bytes), signal);
    await current.handle.close();
  }
  for (const younger of await youngerThan(file, current?.inode)) {
    await drain(readPieces(younger), decoder, sink, () => {}, signal);
  }
  const next = await OpenFile.open(file, 0);
  if (next !== undefined) {
    await drain(piecesOf(next.handle, 0), decoder, sink, bytes => (next.offset += bytes), signal);
  }
  return next;
}

/** Rotated files that were written after the one with this inode; none when it is no longer there. */
async function youngerThan(file: string, inode: number | undefined): Promise<LogFile[]> {
  if (inode === undefined) return [];
  const files = await logFiles(file);
  for (let i = 0; i < files.length; i++) {
    const found = await stat(files[i]!.path).catch(() => undefined);
    if (found?.ino === inode) return files.slice(i + 1).filter(each => each.generation > 0);
  }
  return [];
}

/** Tells that something in a folder has changed; several changes count as one. */
class Changes implements Disposable {
  readonly #watcher: FSWatcher;
  readonly #signal: AbortSignal;
  #dirty = true;
  #over = false;
  #wake: (() => void) | undefined;

  constructor(folder: string, following: Following) {
    this.#signal = following.signal;
    const wake = (): void => this.#wake?.();
    this.#watcher = watch(folder, { persistent: false }, () => {
      this.#dirty = true;
      wake();
    });
    this.#watcher.on('error', () => {
      this.#over = true;
      wake();
    });
    void following.ended.then(() => {
      this.#over = true;
      wake();
    });
    this.#signal.addEventListener('abort', wake, { once: true });
  }

  /** Waits for a change. False: there will be no more, and what is there now is all. */
  async next(): Promise<boolean> {
    while (!this.#dirty && !this.#over && !this.#signal.aborted) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    this.#dirty = false;
    return !this.#over && !this.#signal.aborted;
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
  }
}
