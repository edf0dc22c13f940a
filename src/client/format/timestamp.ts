import { parseDuration } from './units.ts';

/** --since and --until: a duration back from now, an RFC 3339 time or a part of one, or unix seconds; as the engine takes it. */
export function parseTimestamp(text: string, flagName: string, nowMs: number = Date.now()): string {
  try {
    return toSeconds(nowMs * 1e6 - parseDuration(text));
  } catch {
    // Not a duration.
  }
  if (/^-?[0-9]+(\.[0-9]+)?$/.test(text)) return text;
  const match = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2})(?::(\d{2})(?::(\d{2})(\.\d+)?)?)?)?(Z|[+-]\d{2}:\d{2})?$/.exec(text);
  if (match === null)
    throw new Error(
      `invalid value for ${JSON.stringify(flagName)}: failed to parse value as time or duration: ${JSON.stringify(text)}`,
    );
  const [, day, hour = '00', minute = '00', second = '00', fraction = '', zone = ''] = match;
  const ms = Date.parse(`${day}T${hour}:${minute}:${second}${zone}`);
  if (Number.isNaN(ms))
    throw new Error(
      `invalid value for ${JSON.stringify(flagName)}: failed to parse value as time or duration: ${JSON.stringify(text)}`,
    );
  return `${Math.floor(ms / 1000)}.${fraction.slice(1).padEnd(9, '0').slice(0, 9)}`;
}

function toSeconds(ns: number): string {
  const value = BigInt(Math.round(ns));
  return `${value / 1_000_000_000n}.${String(value % 1_000_000_000n).padStart(9, '0')}`;
}
