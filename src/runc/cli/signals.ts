import { constants } from 'node:os';
import { InvalidArgument } from '../../errdefs/index.ts';

/** `9`, `KILL` or `SIGKILL` → 9. */
export function parseSignal(text: string): number {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    if (number <= 64) return number;
  }
  const upper = text.toUpperCase();
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  const number = (constants.signals as Readonly<Record<string, number | undefined>>)[name];
  if (number !== undefined) return number;
  const realTime = /^SIGRTM(IN|AX)(?:([+-])(\d+))?$/.exec(name);
  if (realTime !== null) {
    const base = realTime[1] === 'IN' ? 34 : 64;
    const value = base + (realTime[2] === '-' ? -1 : 1) * Number(realTime[3] ?? 0);
    if (value >= 34 && value <= 64) return value;
  }
  throw new InvalidArgument(`unknown signal "${text}"`);
}
