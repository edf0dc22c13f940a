// ADD of a URL.

import { createHash } from 'node:crypto';
import { createWriteStream, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InvalidArgument, NotFound, ResourceExhausted } from '../../errdefs/index.ts';
import type { HttpVertex } from '../graph/vertex.ts';

/** A download larger than this was not meant. */
const maxBytes = 8 * 2 ** 30;

/** Downloads into `directory` under the vertex's file name; its time is the server's. Gives `directory`. */
export async function fetchHttp(vertex: HttpVertex, directory: string, signal: AbortSignal): Promise<string> {
  let answer: Response;
  try {
    answer = await fetch(vertex.url, { signal, redirect: 'follow', headers: { 'accept-encoding': 'identity' } });
  } catch (cause) {
    signal.throwIfAborted();
    throw new NotFound(`failed to load ${vertex.url}: ${causeText(cause)}`, { cause });
  }
  if (!answer.ok || answer.body === null) {
    throw new NotFound(`failed to load ${vertex.url}: invalid response status ${answer.status}`);
  }
  const path = join(directory, vertex.fileName.replaceAll('/', '_'));
  const hash = createHash('sha256');
  let size = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(size > maxBytes ? new ResourceExhausted(`${vertex.url} is larger than ${maxBytes} bytes`) : null, chunk);
    },
  });
  await pipeline(Readable.fromWeb(answer.body as never), meter, createWriteStream(path, { mode: 0o600 }), { signal });
  const digest = `sha256:${hash.digest('hex')}`;
  if (vertex.checksum !== undefined && digest !== vertex.checksum) {
    throw new InvalidArgument(`digest mismatch ${digest}: ${vertex.checksum}`);
  }
  const modified = Date.parse(answer.headers.get('last-modified') ?? '');
  const time = Number.isNaN(modified) ? 0 : modified / 1000;
  utimesSync(path, time, time);
  return directory;
}

const causeText = (err: unknown): string => {
  const inner = (err as { cause?: unknown }).cause;
  return inner instanceof Error ? inner.message : err instanceof Error ? err.message : String(err);
};
