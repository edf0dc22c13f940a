// Sizes and durations, read and written as Docker's go-units and Go's time package do.

const secondNs = 1e9;
const durationUnits: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: secondNs,
  m: 60 * secondNs,
  h: 3600 * secondNs,
};

/** A Go duration such as "1h2m3.5s", in nanoseconds; throws an Error in Go's words. */
export function parseDuration(text: string): number {
  const quoted = JSON.stringify(text);
  const sign = text.startsWith('-') ? -1 : 1;
  const rest = text.replace(/^[+-]/, '');
  if (rest === '0') return 0;
  if (rest === '') throw new Error(`time: invalid duration ${quoted}`);
  let total = 0;
  const part = /([0-9]*\.?[0-9]*)([^0-9.]*)/y;
  while (part.lastIndex < rest.length) {
    const match = part.exec(rest);
    const [, digits = '', unit = ''] = match ?? [];
    if (match === null || match[0] === '' || digits === '' || digits === '.')
      throw new Error(`time: invalid duration ${quoted}`);
    if (unit === '') throw new Error(`time: missing unit in duration ${quoted}`);
    const scale = durationUnits[unit];
    if (scale === undefined) throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    total += Number(digits) * scale;
  }
  return sign * Math.round(total);
}

/** Nanoseconds as Go prints a duration: "1h2m3.5s". */
export function formatDuration(ns: number): string {
  if (ns === 0) return '0s';
  const sign = ns < 0 ? '-' : '';
  const value = Math.abs(ns);
  if (value < 1e3) return `${sign}${value}ns`;
  if (value < 1e6) return `${sign}${value / 1e3}µs`;
  if (value < secondNs) return `${sign}${value / 1e6}ms`;
  const hours = Math.floor(value / (3600 * secondNs));
  const minutes = Math.floor(value / (60 * secondNs)) % 60;
  const seconds = Number(((value % (60 * secondNs)) / secondNs).toFixed(9));
  return `${sign}${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`;
}

/** A number with `digits` significant ones, as Go's %.{digits}g prints those of ours. */
export function significant(value: number, digits: number): string {
  if (value === 0) return '0';
  const rounded = Number(value.toPrecision(digits));
  const exponent = Math.floor(Math.log10(Math.abs(rounded)));
  if (exponent >= digits || exponent < -4) {
    const text = value.toExponential(digits - 1).replace(/\.?0+e/, 'e');
    return text.replace(/e([+-])([0-9])$/, 'e$10$2');
  }
  return String(rounded);
}

function scaled(size: number, base: number, units: readonly string[], digits: number): string {
  let value = size;
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return `${significant(value, digits)}${units[unit]}`;
}

const decimalUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'];

/** "1.98MB": powers of 1000. */
export const humanSize = (bytes: number, digits = 4): string => scaled(bytes, 1000, decimalUnits, digits);
/** "23.54GiB": powers of 1024. */
export const binarySize = (bytes: number): string => scaled(bytes, 1024, binaryUnits, 4);

/** A size such as "512m" or "1.5GB" in bytes, powers of 1024; throws an Error in go-units' words. */
export function parseBytes(text: string): number {
  if (text === '-1') return -1;
  const match = /^([0-9]+(?:\.[0-9]*)?|\.[0-9]+) ?([kmgtp]?)(i?b?)$/i.exec(text);
  const suffix = match?.[3]?.toLowerCase();
  if (match === null || suffix === 'i') {
    if (/^[-0-9.]/.test(text) && /^-?[0-9.]+ ?[a-z]+$/i.test(text)) {
      throw new Error(`invalid suffix: '${text.replace(/^-?[0-9.]+ ?/, '')}'`);
    }
    throw new Error(`invalid size: '${text}'`);
  }
  const power = ['', 'k', 'm', 'g', 't', 'p'].indexOf((match[2] ?? '').toLowerCase());
  return Math.trunc(Number(match[1]) * 1024 ** power);
}
