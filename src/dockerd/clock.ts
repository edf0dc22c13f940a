// Instants with nanoseconds, as Docker's JSON carries them. A JavaScript Date stops at milliseconds, which is too coarse to order
// events and log lines, so instants are bigint nanoseconds since 1970.

/** Go's zero time, in JSON. */
export const zeroTime = '0001-01-01T00:00:00Z';

/** Nanoseconds since 1970; the clock behind it gives microseconds. Strictly increasing within the process. */
export function nowNs(): bigint {
  const ns = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
  last = ns > last ? ns : last + 1n;
  return last;
}
let last = 0n;

/** RFC 3339 in UTC with up to nine decimals, trailing zeros dropped: Go's RFC3339Nano. */
export function formatNs(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19);
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  return fraction === '' ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}

/** The reverse of formatNs, for any offset; undefined where the text is no RFC 3339 time. Go's zero time is 0. */
export function parseNs(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return undefined;
  const ms = Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(ms)) return undefined;
  if (ms < 0) return 0n;
  return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'));
}

/** A query's `1700000000` or `1700000000.123456789`; undefined where the text is neither. */
export function parseUnixNs(text: string): bigint | undefined {
  const match = /^(-?\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) return undefined;
  return BigInt(match[1]!) * 1_000_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'));
}
