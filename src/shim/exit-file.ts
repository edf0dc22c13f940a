import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataLoss } from '../errdefs/index.ts';
import type { ExitStatus } from './shim.ts';

/** What the shim wrote down about the container's end before it told anyone; null when the container has not ended. */
export function readExitFile(directory: string): ExitStatus | null {
  let text: string;
  try {
    text = readFileSync(join(directory, 'exit'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const value: unknown = JSON.parse(text);
  const { code, signal, time, oom } = value as Record<string, unknown>;
  if (typeof code !== 'number' || typeof signal !== 'number' || typeof time !== 'string' || typeof oom !== 'boolean')
    throw new DataLoss(`unreadable exit file in ${directory}`);
  return { code, signal, timeNs: BigInt(time), oom };
}
