import { InvalidArgument } from '../../errdefs/index.ts';

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** The instant that an `until` filter means: a Unix time, a Go duration before now, or a date. */
export function parseUntil(text: string, now: Date = new Date()): Date {
  if (/^[0-9]+(\.[0-9]+)?$/.test(text)) return new Date(Number(text) * 1000);
  const parts = [...text.matchAll(/([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length > 0 && parts.map(([part]) => part).join('') === text) {
    const ms = parts.reduce((sum, [, number, unit]) => sum + Number(number) * unitMs[unit!]!, 0);
    return new Date(now.getTime() - ms);
  }
  const date = new Date(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00` : text);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(date.getTime())) {
    throw new InvalidArgument(`invalid filter 'until=${text}'`);
  }
  return date;
}
