// Parsing of a command line into flags and arguments, with the rules and the messages of Go's pflag.

import { type Flag, parseFlagValue } from './flag.ts';

/** What a command line holds is wrong: shown with the command's usage line. */
export class UsageError extends Error {}

type Value = boolean | string | number | string[];

/** The flags of one command line; those not given have their initial values. */
export class Flags {
  readonly #specs: ReadonlyMap<string, Flag>;
  readonly #given = new Map<string, Value>();

  constructor(specs: ReadonlyMap<string, Flag>) {
    this.#specs = specs;
  }

  set(spec: Flag, text: string): void {
    const value = parseFlagValue(spec, text);
    if (spec.kind === 'list' || spec.kind === 'strings') {
      const list = (this.#given.get(spec.name) as string[] | undefined) ?? [];
      list.push(...(spec.kind === 'strings' ? splitCommas(String(value)) : [String(value)]));
      this.#given.set(spec.name, list);
    } else this.#given.set(spec.name, value);
  }

  /** Whether the flag is on the command line. */
  changed(name: string): boolean {
    return this.#given.has(name);
  }

  bool(name: string): boolean {
    return this.#value(name, false);
  }

  string(name: string): string {
    return this.#value(name, '');
  }

  number(name: string): number {
    return this.#value(name, 0);
  }

  list(name: string): readonly string[] {
    return this.#value<string[]>(name, []);
  }

  /** The number if the flag was given. */
  optionalNumber(name: string): number | undefined {
    return this.changed(name) ? this.number(name) : undefined;
  }

  #value<T extends Value>(name: string, zero: T): T {
    const spec = this.#specs.get(name);
    if (spec === undefined) throw new Error(`flag accessed but not defined: ${name}`);
    return (this.#given.get(name) ?? spec.initial ?? zero) as T;
  }
}

/** A line of comma-separated values, with double quotes around those that hold commas. */
export function splitCommas(text: string): string[] {
  if (text === '') return [];
  const values: string[] = [];
  let value = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quoted && char === '"' && text[i + 1] === '"') {
      value += '"';
      i++;
    } else if (char === '"' && (quoted || value === '')) quoted = !quoted;
    else if (char === ',' && !quoted) {
      values.push(value);
      value = '';
    } else value += char;
  }
  values.push(value);
  return values;
}

export interface ParsedLine {
  readonly flags: Flags;
  readonly args: readonly string[];
  readonly helpAsked: boolean;
}

/** `interspersed` false ends the flags at the first argument, as `run` and `exec` do; the rest belongs to the container. */
export function parseLine(words: readonly string[], specs: readonly Flag[], interspersed = true): ParsedLine {
  const byName = new Map(specs.map(spec => [spec.name, spec]));
  const byShort = new Map(specs.filter(spec => spec.short !== undefined).map(spec => [spec.short!, spec]));
  const flags = new Flags(byName);
  const args: string[] = [];
  let helpAsked = false;
  let at = 0;

  const set = (spec: Flag, text: string): void => {
    try {
      flags.set(spec, text);
    } catch (err) {
      const shown = spec.short === undefined ? `--${spec.name}` : `-${spec.short}, --${spec.name}`;
      throw new UsageError(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${(err as Error).message}`);
    }
  };
  const bareValue = (spec: Flag): string | undefined => (spec.kind === 'bool' ? 'true' : spec.bare);

  const long = (word: string): void => {
    const equals = word.indexOf('=');
    const name = word.slice(2, equals < 0 ? undefined : equals);
    if (name === '' || name.startsWith('-')) throw new UsageError(`bad flag syntax: ${word}`);
    const spec = byName.get(name);
    if (spec === undefined) {
      if (name !== 'help') throw new UsageError(`unknown flag: --${name}`);
      helpAsked = true;
      return;
    }
    const value = equals >= 0 ? word.slice(equals + 1) : (bareValue(spec) ?? words[at++]);
    if (value === undefined) throw new UsageError(`flag needs an argument: --${name}`);
    set(spec, value);
  };

  const shorts = (word: string): void => {
    for (let i = 1; i < word.length; i++) {
      const letter = word[i]!;
      const spec = byShort.get(letter);
      if (spec === undefined) {
        if (letter !== 'h') throw new UsageError(`unknown shorthand flag: '${letter}' in -${word.slice(i)}`);
        helpAsked = true;
        continue;
      }
      const bare = bareValue(spec);
      if (word[i + 1] !== '=' && bare !== undefined) {
        set(spec, bare);
        continue;
      }
      // The rest of the word is the value, or the next word is.
      const value = word[i + 1] === '=' ? word.slice(i + 2) : i + 1 < word.length ? word.slice(i + 1) : words[at++];
      if (value === undefined) throw new UsageError(`flag needs an argument: '${letter}' in -${word.slice(i)}`);
      set(spec, value);
      return;
    }
  };

  while (at < words.length) {
    const word = words[at++]!;
    if (word === '--') {
      args.push(...words.slice(at));
      break;
    }
    if (word.startsWith('--')) long(word);
    else if (word.startsWith('-') && word !== '-') shorts(word);
    else {
      args.push(word);
      if (!interspersed) {
        args.push(...words.slice(at));
        break;
      }
    }
  }
  return { flags, args, helpAsked };
}
