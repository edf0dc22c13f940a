import { readSync } from 'node:fs';
import type { Cli } from '../cli.ts';

/** Asks before something is lost; only a y is a yes. `question` ends before " [y/N] ". */
export function confirm(cli: Cli, question: string): boolean {
  cli.write(`${question} [y/N] `);
  const answer = readLine();
  return answer.trim().toLowerCase() === 'y';
}

/** A line of standard input, without its end. */
export function readLine(): string {
  const byte = Buffer.alloc(1);
  const bytes: number[] = [];
  for (;;) {
    let count: number;
    try {
      count = readSync(0, byte, 0, 1, null);
    } catch (err) {
      const { code } = err as NodeJS.ErrnoException;
      if (code === 'EAGAIN') {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
        continue;
      }
      if (code === 'EOF') break;
      throw err;
    }
    if (count === 0 || byte[0] === 0x0a) break;
    bytes.push(byte[0]!);
  }
  return Buffer.from(bytes).toString().replace(/\r$/, '');
}
