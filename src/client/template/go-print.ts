// How Go prints values: fmt's %v for JSON-like ones, and its printf.

/** An object that prints as a Go map: `map[a:1 b:2]`. Others print as structs: `{1 2}`. */
const maps = new WeakSet<object>();

/** Marks an object as a map, and gives it back. */
export function asMap<T extends object>(value: T): T {
  maps.add(value);
  return value;
}

/** Empty maps and slices that are nil: they print as empty ones, and are null in JSON. */
const nils = new WeakSet<object>();

export function nilMap(): object {
  const map = asMap({});
  nils.add(map);
  return map;
}

export function nilSlice(): unknown[] {
  const slice: unknown[] = [];
  nils.add(slice);
  return slice;
}

export const isNil = (value: unknown): boolean => typeof value === 'object' && value !== null && nils.has(value);

export const isMap = (value: unknown): boolean => typeof value === 'object' && value !== null && maps.has(value);

/** fmt's %v. */
export function goString(value: unknown): string {
  if (value === undefined || value === null) return '<nil>';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return goNumber(value);
  if (Array.isArray(value)) return `[${value.map(goString).join(' ')}]`;
  if (typeof value === 'object') {
    const entries = Object.entries(value);
    if (isMap(value)) {
      return `map[${entries
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => `${key}:${goString(item)}`)
        .join(' ')}]`;
    }
    return `{${entries.map(([, item]) => goString(item)).join(' ')}}`;
  }
  return String(value);
}

/** Whole numbers as integers print, others as %v prints a float64. */
function goNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return BigInt(value).toString();
  const text = String(value);
  return text.replace(/e([+-])([0-9])$/, 'e$10$2');
}

/** A string as Go quotes it. */
export const goQuote = (text: string): string =>
  JSON.stringify(text)
    .replace(/\\u00([0-9a-f]{2})/g, '\\x$1')
    .replace(/\\b/g, '\\b');

/** fmt.Sprintf for the verbs that templates use. */
export function goPrintf(format: string, args: readonly unknown[]): string {
  let next = 0;
  const out = format.replace(
    /%([-+# 0]*)(\d+|\*)?(?:\.(\d+))?([a-zA-Z%])/g,
    (_, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      const wide = width === '*' ? Number(args[next++]) : Number(width ?? 0);
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const text = verbText(verb, args[next++], precision === undefined ? undefined : Number(precision), flags);
      if (text.length >= wide) return text;
      if (flags.includes('-')) return text.padEnd(wide);
      if (flags.includes('0') && /^[-+]?[0-9.]+$/.test(text)) {
        const sign = /^[-+]/.exec(text)?.[0] ?? '';
        return sign + text.slice(sign.length).padStart(wide - sign.length, '0');
      }
      return text.padStart(wide);
    },
  );
  if (next >= args.length) return out;
  return `${out}%!(EXTRA ${args
    .slice(next)
    .map(arg => `${goType(arg)}=${goString(arg)}`)
    .join(', ')})`;
}

export function goType(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}

function verbText(verb: string, value: unknown, precision: number | undefined, flags: string): string {
  const bad = `%!${verb}(${goType(value)}=${goString(value)})`;
  switch (verb) {
    case 'v':
      return goString(value);
    case 's':
      if (typeof value === 'number' || typeof value === 'boolean') return bad;
      return precision === undefined ? goString(value) : [...goString(value)].slice(0, precision).join('');
    case 'q':
      return Array.isArray(value)
        ? `[${value.map(item => goQuote(goString(item))).join(' ')}]`
        : goQuote(goString(value));
    case 'd':
      if (Array.isArray(value)) return `[${value.map(item => verbText('d', item, precision, flags)).join(' ')}]`;
      return typeof value === 'number' ? `${flags.includes('+') && value >= 0 ? '+' : ''}${goNumber(value)}` : bad;
    case 't':
      return typeof value === 'boolean' ? String(value) : bad;
    case 'f':
    case 'F':
      return typeof value === 'number' ? value.toFixed(precision ?? 6) : bad;
    case 'g':
      return typeof value === 'number'
        ? precision === undefined
          ? String(value)
          : String(Number(value.toPrecision(precision)))
        : bad;
    case 'e':
      return typeof value === 'number' ? value.toExponential(precision ?? 6).replace(/e([+-])([0-9])$/, 'e$10$2') : bad;
    case 'x':
    case 'X': {
      const hex = typeof value === 'number' ? value.toString(16) : Buffer.from(goString(value)).toString('hex');
      return verb === 'X' ? hex.toUpperCase() : hex;
    }
    case 'o':
      return typeof value === 'number' ? value.toString(8) : bad;
    case 'b':
      return typeof value === 'number' ? value.toString(2) : bad;
    case 'c':
      return typeof value === 'number' ? String.fromCodePoint(value) : bad;
    case 'T':
      return goType(value);
    default:
      return bad;
  }
}
