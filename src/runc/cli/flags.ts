// The command line's grammar, that of runc (urfave/cli): flags before arguments, `--name value`, `--name=value`, one dash or two.

import { InvalidArgument } from '../../errdefs/index.ts';
import { own } from '../own.ts';

export type FlagKind = 'boolean' | 'string' | 'strings' | 'number';

/** Long name → kind, or alias → long name. */
export type FlagTable = Readonly<Record<string, FlagKind | { readonly alias: string }>>;

/** What was given. A flag that was not is undefined. */
export class Flags {
  readonly #values = new Map<string, string[]>();
  readonly rest: readonly string[];

  /** Reads flags up to the first argument that is none. Words from there on are `rest`, whatever they look like. */
  constructor(words: readonly string[], table: FlagTable) {
    let at = 0;
    for (; at < words.length; at++) {
      const word = words[at]!;
      if (word === '--') {
        at++;
        break;
      }
      if (!word.startsWith('-') || word === '-') break;
      const [given, inline] = split(word.replace(/^--?/, ''));
      const entry = own(table, given);
      const name = typeof entry === 'object' ? entry.alias : given;
      const kind = own(table, name) as FlagKind | undefined;
      if (kind === undefined) throw new InvalidArgument(`flag provided but not defined: -${given}`);
      let value = inline;
      if (value === undefined) {
        if (kind === 'boolean') value = 'true';
        else if (++at < words.length) value = words[at]!;
        else throw new InvalidArgument(`flag needs an argument: -${given}`);
      }
      if (kind === 'number' && !/^-?\d+$/.test(value))
        throw new InvalidArgument(`invalid value "${value}" for flag -${given}: want a number`);
      this.#values.set(name, [...(this.#values.get(name) ?? []), value]);
    }
    this.rest = words.slice(at);
  }

  has(name: string): boolean {
    const value = this.string(name);
    return value !== undefined && value !== 'false';
  }

  string(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  strings(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  number(name: string): number | undefined {
    const value = this.string(name);
    return value === undefined ? undefined : Number(value);
  }
}

function split(word: string): readonly [string, string | undefined] {
  const equals = word.indexOf('=');
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}
