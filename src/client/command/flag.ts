// Flags as data: each command declares a table of these; the parser, the help page and the shell completion read it.

import { parseBytes, parseDuration } from '../format/units.ts';

/** What a flag's text becomes. `list` and `map` gather every occurrence. */
export type FlagKind = 'bool' | 'string' | 'int' | 'uint' | 'bytes' | 'duration' | 'decimal' | 'list' | 'strings';

export interface Flag {
  readonly name: string;
  readonly short?: string;
  readonly kind: FlagKind;
  /** The word after the name on the help page; empty for a bool. */
  readonly typeName: string;
  readonly usage: string;
  /** As the help page shows it in "(default ...)"; none is shown without. */
  readonly shownDefault?: string;
  readonly initial?: boolean | string | number;
  readonly hidden?: boolean;
  /** What `--name` without a value means, for a flag that is no bool. */
  readonly bare?: string;
  /** Refuses one value by throwing; its message follows "invalid argument ... for ... flag: ". */
  readonly check?: (value: string) => void;
}

type Extra = Partial<Omit<Flag, 'name' | 'short' | 'kind' | 'usage'>>;

const make =
  (kind: FlagKind, typeName: string) =>
  (name: string, short: string, usage: string, extra: Extra = {}): Flag => ({
    name,
    ...(short !== '' && { short }),
    kind,
    typeName,
    usage,
    ...extra,
  });

/** Constructors by kind: name, one-letter form or '', help text. */
export const flag = {
  bool: make('bool', ''),
  string: make('string', 'string'),
  int: make('int', 'int'),
  uint: make('uint', 'uint16'),
  bytes: make('bytes', 'bytes'),
  duration: make('duration', 'duration'),
  decimal: make('decimal', 'decimal'),
  list: make('list', 'list'),
  /** A list whose values may be separated by commas too. */
  strings: make('strings', 'strings'),
};

const syntax = (call: string, text: string): Error =>
  new Error(`strconv.${call}: parsing ${JSON.stringify(text)}: invalid syntax`);

export function parseBool(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  throw syntax('ParseBool', text);
}

function parseInteger(text: string, unsigned: boolean): number {
  const call = unsigned ? 'ParseUint' : 'ParseInt';
  const digits = text.replace(/_/g, '');
  if (!/^[+-]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9][0-9]*)$/.test(digits)) throw syntax(call, text);
  if (unsigned && /^[+-]/.test(digits)) throw syntax(call, text);
  const body = digits.replace(/^[+-]/, '').replace(/^0(?=[0-7])/, '0o');
  const value = Number(body) * (digits.startsWith('-') ? -1 : 1);
  if (Math.abs(value) >= 2 ** 63)
    throw new Error(`strconv.${call}: parsing ${JSON.stringify(text)}: value out of range`);
  return value;
}

/** A number of processors in billionths. */
function parseDecimal(text: string): number {
  if (!/^[0-9]*\.?[0-9]*$/.test(text) || text === '' || text === '.')
    throw new Error(`failed to parse ${text} as a rational number`);
  const nano = Number(text) * 1e9;
  if (Math.abs(nano - Math.round(nano)) > 1e-6) throw new Error('value is too precise');
  return Math.round(nano);
}

/** The value of one occurrence; throws an Error with the reason alone. */
export function parseFlagValue(spec: Flag, text: string): boolean | string | number {
  spec.check?.(text);
  switch (spec.kind) {
    case 'bool':
      return parseBool(text);
    case 'int':
      return parseInteger(text, false);
    case 'uint':
      return parseInteger(text, true);
    case 'bytes':
      return parseBytes(text);
    case 'duration':
      return parseDuration(text);
    case 'decimal':
      return parseDecimal(text);
    default:
      return text;
  }
}
