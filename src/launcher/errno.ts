// Errnos by name. The numbers are those of every architecture we run on.

import { constants } from 'node:os';
import type { Errno } from './op.ts';

const numbers = new Map<string, number>(Object.entries(constants.errno));
const names = new Map([...numbers].map(([name, number]) => [number, name]));
// Two names share a number; the one that the kernel's documentation uses wins.
names.set(numbers.get('EAGAIN')!, 'EAGAIN').set(numbers.get('EOPNOTSUPP')!, 'EOPNOTSUPP');

/** ENOENT → 2. */
export function errnoNumber(name: Errno): number {
  return numbers.get(name)!;
}

/** 2 → 'ENOENT'; 'E200' for a number without a name. */
export function errnoName(number: number): string {
  return names.get(number) ?? `E${number}`;
}
