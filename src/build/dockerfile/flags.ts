// The `--name=value` flags between an instruction and its arguments.

import { DockerfileError, nearest, type Range } from './source.ts';

export interface Flags {
  /** Values by name; a flag without `=` has the value undefined. */
  readonly values: ReadonlyMap<string, readonly (string | undefined)[]>;
  /** What follows the flags. */
  readonly rest: string;
}

/** How often a flag may stand, and whether it may go without a value. */
export interface FlagKind {
  readonly repeat?: boolean;
  readonly boolean?: boolean;
}

/** Takes the flags off `text`. Throws for a flag that `instruction` does not have, with the nearest one that it has. */
export function takeFlags(
  instruction: string,
  text: string,
  kinds: Readonly<Record<string, FlagKind>>,
  range: Range,
): Flags {
  const values = new Map<string, (string | undefined)[]>();
  let rest = text.trimStart();
  while (rest.startsWith('--')) {
    const word = firstWord(rest);
    rest = rest.slice(word.length).trimStart();
    if (word === '--') break;
    const equals = word.indexOf('=');
    const name = word.slice(2, equals === -1 ? undefined : equals);
    const kind = kinds[name];
    if (kind === undefined) {
      const close = nearest(name, Object.keys(kinds));
      throw new DockerfileError(
        `unknown flag: --${name}${close === undefined ? '' : ` (did you mean ${close}?)`}`,
        range,
      );
    }
    if (equals === -1 && !kind.boolean) throw new DockerfileError(`missing a value on flag: ${name}`, range);
    const list = values.get(name) ?? [];
    if (list.length > 0 && !kind.repeat) throw new DockerfileError(`duplicate flag specified: ${name}`, range);
    list.push(equals === -1 ? undefined : unquote(word.slice(equals + 1)));
    values.set(name, list);
  }
  if (!/^(RUN|COPY|ADD|FROM|HEALTHCHECK)$/.test(instruction) && values.size > 0) {
    throw new DockerfileError(`${instruction} takes no flags`, range);
  }
  return { values, rest };
}

/** A flag's word ends at white space that is neither quoted nor escaped. */
function firstWord(text: string): string {
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '\\') i++;
    else if (quote !== '') {
      if (c === quote) quote = '';
    } else if (c === '"' || c === "'") quote = c;
    else if (/\s/.test(c)) return text.slice(0, i);
  }
  return text;
}

function unquote(text: string): string {
  return text.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'/g, (_, double: string | undefined, single: string | undefined) =>
    double === undefined ? single! : double.replace(/\\(["\\$])/g, '$1'),
  );
}

/** The last value of a flag that takes one. */
export const flagValue = (flags: Flags, name: string): string | undefined => flags.values.get(name)?.at(-1);

/** A flag such as --link: absent false, bare true, else the word. Throws for other words. */
export function flagBoolean(flags: Flags, name: string, range: Range): boolean | undefined {
  const given = flags.values.get(name);
  if (given === undefined) return undefined;
  const value = given.at(-1);
  if (value === undefined || value === 'true') return true;
  if (value === 'false') return false;
  throw new DockerfileError(`expecting boolean value for flag ${name}, not: ${value}`, range);
}
