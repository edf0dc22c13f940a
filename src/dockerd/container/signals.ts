// Names of signals, as `kill -l` and clients write them.

import { constants } from 'node:os';
import { InvalidArgument } from '../../errdefs/index.ts';

const realTimeMin = 34;
const realTimeMax = 64;

/** `SIGTERM`, `term`, `15`, `RTMIN+3` → number. */
export function parseSignal(text: string): number {
  const invalid = () => new InvalidArgument(`invalid signal: ${text}`);
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    if (number < 1) throw invalid();
    if (number > realTimeMax) throw new InvalidArgument(`the linux daemon does not support signal ${text}`);
    return number;
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realTime = /^RTM(IN|AX)(?:([+-])(\d+))?$/.exec(name);
  if (realTime !== null) {
    const base = realTime[1] === 'IN' ? realTimeMin : realTimeMax;
    const number = base + Number(realTime[3] ?? 0) * (realTime[2] === '-' ? -1 : 1);
    if (number < realTimeMin || number > realTimeMax) throw invalid();
    return number;
  }
  const number = (constants.signals as Readonly<Record<string, number>>)[`SIG${name}`];
  if (number === undefined) throw invalid();
  return number;
}

export const sigterm = 15;
export const sigkill = 9;
