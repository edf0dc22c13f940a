// Writing to standard output and error without process.stdout, whose set-up costs a short command some milliseconds.

import { writeSync } from 'node:fs';

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Writes all of it. A reader that has gone away ends us, as SIGPIPE would. */
export function writeFully(fd: number, data: string | Uint8Array): void {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (err) {
      const { code } = err as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(141);
      if (code !== 'EAGAIN') throw err;
      Atomics.wait(pause, 0, 0, 2); // someone made our descriptor non-blocking
    }
  }
}
