// Writing a streamed answer no faster than its reader reads.

import type { ServerResponse } from 'node:http';

/** Writes bytes and waits while the reader is behind; returns early when the client has gone. */
export async function writeAll(out: ServerResponse, bytes: Uint8Array | string, signal: AbortSignal): Promise<void> {
  if (out.destroyed || signal.aborted) return;
  if (out.write(bytes)) return;
  await new Promise<void>(resolve => {
    const done = (): void => {
      out.off('drain', done);
      out.off('close', done);
      resolve();
    };
    out.once('drain', done);
    out.once('close', done);
  });
}
