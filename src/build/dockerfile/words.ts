// Expansion of variables, as the Dockerfile's own small shell does it (dockerfile reference, "Environment replacement";
// buildkit frontend/dockerfile/shell). Quotes, escapes, ${v} with its modifiers, and splitting into words.

import { InvalidArgument } from '../../errdefs/index.ts';

/** Looks a variable up; undefined means unset. */
export type Lookup = (name: string) => string | undefined;

export interface ExpandOptions {
  readonly escape: '\\' | '`';
  /** Called for every variable that is not set and has no default. */
  readonly onUnset?: (name: string) => void;
  /** Keep quotes and escapes as they are, only replace variables (used for RUN mounts and JSON forms). */
  readonly rawQuotes?: boolean;
  readonly rawEscapes?: boolean;
}

/** Replaces variables and takes quotes off: one word in, one word out. */
export function expand(text: string, lookup: Lookup, options: ExpandOptions): string {
  return new Expander(text, lookup, options).all().join('');
}

/** The same, split into words at unquoted white space; what a variable brings is split too. */
export function expandWords(text: string, lookup: Lookup, options: ExpandOptions): string[] {
  return new Expander(text, lookup, options).words();
}

/** An expansion may not grow without end: ${v//a/${v}} of a hostile file. */
const maxExpandedLength = 16 * 1024 * 1024;
const maxDepth = 100;

class Expander {
  readonly #text: string;
  #at = 0;
  readonly #lookup: Lookup;
  readonly #options: ExpandOptions;
  #depth = 0;
  /** Finished words, and the one being written; undefined where none has begun. */
  readonly #words: string[] = [];
  #word: string | undefined;

  constructor(text: string, lookup: Lookup, options: ExpandOptions) {
    this.#text = text;
    this.#lookup = lookup;
    this.#options = options;
  }

  all(): string[] {
    return [this.#until('')];
  }

  words(): string[] {
    while (this.#at < this.#text.length) {
      const c = this.#text[this.#at]!;
      if (/\s/.test(c)) {
        this.#at++;
        this.#endWord();
      } else if (c === '$') {
        // White space that comes out of a variable separates words as well.
        const pieces = this.#dollar().split(/\s+/);
        pieces.forEach((piece, i) => {
          if (i > 0) this.#endWord();
          if (piece !== '') this.#word = (this.#word ?? '') + piece;
        });
      } else this.#word = (this.#word ?? '') + this.#plain(c);
    }
    this.#endWord();
    return this.#words;
  }

  #endWord(): void {
    if (this.#word !== undefined) this.#words.push(this.#word);
    this.#word = undefined;
  }

  /** Everything up to an unquoted character of `stop` (not taken) or the end. */
  #until(stop: string): string {
    if (++this.#depth > maxDepth) throw new InvalidArgument(`variables are nested deeper than ${maxDepth}`);
    let out = '';
    while (this.#at < this.#text.length) {
      const c = this.#text[this.#at]!;
      if (stop.includes(c)) break;
      out += c === '$' ? this.#dollar() : this.#plain(c);
      if (out.length > maxExpandedLength) throw new InvalidArgument('variable expansion is too long');
    }
    this.#depth--;
    return out;
  }

  #plain(c: string): string {
    if (c === "'") return this.#singleQuoted();
    if (c === '"') return this.#doubleQuoted();
    this.#at++;
    if (c === this.#options.escape) {
      const next = this.#text[this.#at];
      if (next === undefined) return c; // a lone escape at the end stands for itself
      this.#at++;
      return this.#options.rawEscapes ? c + next : next;
    }
    return c;
  }

  #singleQuoted(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end === -1) throw new InvalidArgument('unexpected end of statement while looking for matching single-quote');
    const inner = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return this.#options.rawQuotes ? `'${inner}'` : inner;
  }

  #doubleQuoted(): string {
    const { escape: escapeCharacter, rawQuotes, rawEscapes } = this.#options;
    let out = rawQuotes ? '"' : '';
    this.#at++;
    for (;;) {
      const c = this.#text[this.#at];
      if (c === undefined) {
        throw new InvalidArgument('unexpected end of statement while looking for matching double-quote');
      }
      if (c === '"') {
        this.#at++;
        return rawQuotes ? `${out}"` : out;
      }
      if (c === '$') {
        out += this.#dollar();
        continue;
      }
      this.#at++;
      const next = this.#text[this.#at];
      if (c === escapeCharacter && next !== undefined) {
        // Inside double quotes only these lose their escape, as in a shell.
        if (next === '"' || next === '$' || next === escapeCharacter) {
          out += rawEscapes ? c + next : next;
          this.#at++;
          continue;
        }
      }
      out += c;
    }
  }

  #dollar(): string {
    this.#at++;
    if (this.#text[this.#at] === '{') {
      this.#at++;
      return this.#braced();
    }
    const name = this.#text.slice(this.#at).match(/^(?:[a-zA-Z_][a-zA-Z0-9_]*|[0-9@*#?$!-])/)?.[0];
    if (name === undefined) return '$';
    this.#at += name.length;
    return this.#value(name) ?? '';
  }

  #value(name: string): string | undefined {
    const value = this.#lookup(name);
    if (value === undefined) this.#options.onUnset?.(name);
    return value;
  }

  #braced(): string {
    const name = this.#text.slice(this.#at).match(/^(?:[a-zA-Z_][a-zA-Z0-9_]*|[0-9]+|[@*#?$!-])/)?.[0];
    if (name === undefined)
      throw new InvalidArgument(this.#text[this.#at] === undefined ? "syntax error: missing '}'" : 'bad substitution');
    this.#at += name.length;
    const c = this.#text[this.#at];
    if (c === '}') {
      this.#at++;
      return this.#value(name) ?? '';
    }
    if (c === ':' || c === '-' || c === '+' || c === '?') return this.#conditional(name);
    if (c === '#' || c === '%') return this.#trim(name, c);
    if (c === '/') return this.#replace(name);
    // Go reads past the end as U+FFFD, and BuildKit's message shows it.
    throw new InvalidArgument(`unsupported modifier (${c ?? '\uFFFD'}) in substitution`);
  }

  /** `${v:-w}` and its kin; with the colon an empty value counts as unset. */
  #conditional(name: string): string {
    const colon = this.#text[this.#at] === ':';
    if (colon) this.#at++;
    const kind = this.#text[this.#at];
    if (kind !== '-' && kind !== '+' && kind !== '?') {
      throw new InvalidArgument(`unsupported modifier (${colon ? ':' : ''}${kind ?? ''}) in substitution`);
    }
    this.#at++;
    const word = this.#until('}');
    this.#close();
    const value = this.#lookup(name);
    const set = value !== undefined && !(colon && value === '');
    if (kind === '-') return set ? value : word;
    if (kind === '+') return set ? word : '';
    if (set) return value;
    throw new InvalidArgument(`${name}: ${word === '' ? 'not allowed to be unset' : word}`);
  }

  /** `${v#p}`, `${v##p}`, `${v%p}`, `${v%%p}`. */
  #trim(name: string, side: '#' | '%'): string {
    this.#at++;
    const longest = this.#text[this.#at] === side;
    if (longest) this.#at++;
    const pattern = this.#pattern('}');
    this.#close();
    const value = this.#value(name) ?? '';
    const matches = new RegExp(`^(?:${pattern})$`, 's');
    // All cuts, from the shortest piece to the longest.
    const cuts = Array.from({ length: value.length + 1 }, (_, n) => n);
    if (longest) cuts.reverse();
    for (const n of cuts) {
      const piece = side === '#' ? value.slice(0, n) : value.slice(value.length - n);
      if (matches.test(piece)) return side === '#' ? value.slice(n) : value.slice(0, value.length - n);
    }
    return value;
  }

  /** `${v/p/r}` and `${v//p/r}`. */
  #replace(name: string): string {
    this.#at++;
    const every = this.#text[this.#at] === '/';
    if (every) this.#at++;
    const pattern = this.#pattern('/}');
    let replacement = '';
    if (this.#text[this.#at] === '/') {
      this.#at++;
      replacement = this.#until('}');
    }
    this.#close();
    const value = this.#value(name) ?? '';
    if (pattern === '') return value;
    return value.replace(new RegExp(pattern, every ? 'gs' : 's'), () => replacement);
  }

  /** A glob up to an unquoted character of `stop`, as the source of a regular expression: `*`, `?` and escapes. */
  #pattern(stop: string): string {
    let source = '';
    while (this.#at < this.#text.length && !stop.includes(this.#text[this.#at]!)) {
      const c = this.#text[this.#at]!;
      if (c === '$') source += quote(this.#dollar());
      else if (c === "'" || c === '"') source += quote(this.#plain(c));
      else if (c === this.#options.escape && this.#at + 1 < this.#text.length) {
        source += quote(this.#text[this.#at + 1]!);
        this.#at += 2;
      } else {
        this.#at++;
        source += c === '*' ? '.*' : c === '?' ? '.' : quote(c);
      }
    }
    // Greedy stars make the longest match; trims try every cut anyway. Runs of stars are one.
    return source.replace(/(\.\*)+/g, '.*');
  }

  #close(): void {
    if (this.#text[this.#at] !== '}') throw new InvalidArgument("syntax error: missing '}'");
    this.#at++;
  }
}

const quote = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
