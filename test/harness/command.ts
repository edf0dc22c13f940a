// Runs a program to its end and gives back all it said.

import { spawn } from 'node:child_process';

/** What a finished command said. */
export interface Outcome {
  /** Exit code; 128 + n when signal n ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string | Uint8Array;
  /** Kills the command after so long; default 60 s. */
  readonly timeoutMs?: number;
  readonly cwd?: string;
}

/** Runs `file` with `args`; never throws for a non-zero exit. */
export function command(file: string, args: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      env: options.env ?? process.env,
      cwd: options.cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', chunk => out.push(chunk));
    child.stderr.on('data', chunk => err.push(chunk));
    child.stdin.on('error', () => {}); // a command may end without reading its input
    child.stdin.end(options.stdin);
    const timer = setTimeout(() => {
      err.push(Buffer.from(`\n[killed by the test after ${options.timeoutMs ?? 60_000} ms]\n`));
      child.kill('SIGKILL');
    }, options.timeoutMs ?? 60_000);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({
        code: code ?? 128 + (signal === 'SIGKILL' ? 9 : signal === 'SIGTERM' ? 15 : signal === 'SIGINT' ? 2 : 1),
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      });
    });
  });
}
