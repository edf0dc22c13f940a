// The functions of templates: Go's own, and those that Docker adds.

import { goPrintf, goString, goType, isMap, isNil } from './go-print.ts';
import { TemplateError } from './lexer.ts';

export type TemplateFunction = (...args: unknown[]) => unknown;

/** What `if`, `and`, `or` and `not` go by. */
export function truth(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && isMap(value)) return Object.keys(value).length > 0;
  return true;
}

/** encoding/json's output: sorted keys of maps, and the characters of HTML escaped unless told. */
export function goJson(value: unknown, escapeHtml = false): string {
  const text = JSON.stringify(value ?? null, (_, item: unknown) =>
    isNil(item)
      ? null
      : isMap(item)
        ? Object.fromEntries(Object.entries(item as object).sort(([a], [b]) => (a < b ? -1 : 1)))
        : item,
  );
  const safe = text.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
  return escapeHtml ? safe.replace(/[<>&]/g, char => `\\u00${char.charCodeAt(0).toString(16)}`) : safe;
}

const text = (value: unknown, name: string): string => {
  if (typeof value !== 'string')
    throw new TemplateError(`error calling ${name}: expected string; found ${goString(value)}`);
  return value;
};

function compare(name: string, a: unknown, b: unknown): number {
  if (typeof a !== typeof b || (typeof a !== 'string' && typeof a !== 'number')) {
    throw new TemplateError(`error calling ${name}: incompatible types for comparison`);
  }
  return a < (b as typeof a) ? -1 : a > (b as typeof a) ? 1 : 0;
}

function equal(a: unknown, b: unknown): boolean {
  if (a === null || b === null || a === undefined || b === undefined) return (a ?? null) === (b ?? null);
  if (typeof a !== typeof b) throw new TemplateError('error calling eq: incompatible types for comparison');
  return a === b;
}

function index(value: unknown, ...keys: unknown[]): unknown {
  let at = value;
  for (const key of keys) {
    if (at === null || at === undefined) throw new TemplateError('error calling index: index of untyped nil');
    if (typeof at === 'string' || Array.isArray(at)) {
      if (typeof key !== 'number')
        throw new TemplateError(`error calling index: cannot index slice/array with type ${goType(key)}`);
      if (key < 0 || key >= at.length) throw new TemplateError(`error calling index: index out of range: ${key}`);
      at = typeof at === 'string' ? at.charCodeAt(key) : at[key];
    } else if (typeof at === 'object') {
      const item = Object.hasOwn(at, String(key)) ? (at as Record<string, unknown>)[String(key)] : zeroLike(at);
      at = item;
    } else throw new TemplateError(`error calling index: can't index item of type ${goType(at)}`);
  }
  return at;
}

/** A map's missing entry is the zero value of its element type, which its other entries show. */
function zeroLike(map: object): unknown {
  const [sample] = Object.values(map);
  return typeof sample === 'string'
    ? ''
    : typeof sample === 'number'
      ? 0
      : typeof sample === 'boolean'
        ? false
        : undefined;
}

function slice(value: unknown, ...bounds: unknown[]): unknown {
  if (typeof value !== 'string' && !Array.isArray(value))
    throw new TemplateError(`error calling slice: can't slice item of type ${goType(value)}`);
  const [from = 0, to = value.length] = bounds as number[];
  if (from < 0 || to > value.length)
    throw new TemplateError(`error calling slice: index out of range: ${from < 0 ? from : to}`);
  if (from > to) throw new TemplateError(`error calling slice: invalid slice index: ${from} > ${to}`);
  return value.slice(from, to);
}

const spaced = (args: readonly unknown[]): string =>
  args.reduce<string>((out, arg, i) => {
    const between = i > 0 && typeof arg !== 'string' && typeof args[i - 1] !== 'string' ? ' ' : '';
    return out + between + goString(arg);
  }, '');

const title = (value: string): string =>
  value.replace(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, (_, before: string, letter: string) => before + letter.toUpperCase());

const truncate = (value: string, length: number): string => (value.length <= length ? value : value.slice(0, length));

/** `and` and `or` are not here: they evaluate their arguments only as needed. */
export const templateFunctions: Readonly<Record<string, TemplateFunction>> = {
  not: value => !truth(value),
  eq: (a, ...others) => {
    if (others.length === 0) throw new TemplateError('error calling eq: missing argument for comparison');
    return others.some(b => equal(a, b));
  },
  ne: (a, b) => !equal(a, b),
  lt: (a, b) => compare('lt', a, b) < 0,
  le: (a, b) => compare('le', a, b) <= 0,
  gt: (a, b) => compare('gt', a, b) > 0,
  ge: (a, b) => compare('ge', a, b) >= 0,
  len: value => {
    if (typeof value === 'string') return Buffer.byteLength(value);
    if (Array.isArray(value)) return value.length;
    if (typeof value === 'object' && value !== null) return Object.keys(value).length;
    if (value === null || value === undefined) return 0;
    throw new TemplateError(`error calling len: len of type ${goType(value)}`);
  },
  index,
  slice,
  print: (...args) => spaced(args),
  println: (...args) => `${args.map(goString).join(' ')}\n`,
  printf: (format, ...args) => goPrintf(text(format, 'printf'), args),
  html: (...args) =>
    spaced(args).replace(
      /[&<>"']/g,
      char => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' })[char]!,
    ),
  urlquery: (...args) => encodeURIComponent(spaced(args)).replaceAll('%20', '+'),
  js: (...args) => JSON.stringify(spaced(args)).slice(1, -1),
  // Docker's.
  json: value => goJson(value),
  split: (value, separator) => {
    const parts = text(value, 'split').split(text(separator, 'split'));
    return parts;
  },
  join: (list, separator) => ((list as readonly string[] | null) ?? []).join(text(separator, 'join')),
  title: value => title(text(value, 'title')),
  lower: value => text(value, 'lower').toLowerCase(),
  upper: value => text(value, 'upper').toUpperCase(),
  pad: (value, before, after) => {
    const body = text(value, 'pad');
    return body === '' ? body : ' '.repeat(Number(before)) + body + ' '.repeat(Number(after));
  },
  truncate: (value, length) => truncate(text(value, 'truncate'), Number(length)),
};

export const functionNames: ReadonlySet<string> = new Set([...Object.keys(templateFunctions), 'and', 'or', 'call']);
