// The part of TOML 1.0 that hosts.toml files use: tables (quoted keys in their headers), strings, booleans, integers, and
// arrays of these, over several lines too. Anything else is refused by name rather than misread.

import { InvalidArgument } from '../../errdefs/index.ts';

export type TomlValue = string | boolean | number | TomlValue[] | TomlTable;
export interface TomlTable {
  [key: string]: TomlValue;
}

export function parseToml(text: string, file: string): TomlTable {
  return new Parser(text, file).parse();
}

class Parser {
  readonly #text: string;
  readonly #file: string;
  #at = 0;

  constructor(text: string, file: string) {
    this.#text = text.replaceAll('\r\n', '\n');
    this.#file = file;
  }

  parse(): TomlTable {
    const root = table();
    let current = root;
    for (;;) {
      this.#skip(/[\s]*(#[^\n]*\s*)*/y);
      if (this.#at >= this.#text.length) return root;
      if (this.#take('[[')) throw this.#error('arrays of tables are not supported here');
      if (this.#take('[')) {
        current = this.#descend(root, this.#key(), true);
        this.#expect(']');
      } else {
        const path = this.#key();
        this.#expect('=');
        const name = path.pop() as string;
        const target = this.#descend(current, path, false);
        if (Object.hasOwn(target, name)) throw this.#error(`"${name}" is given twice`);
        target[name] = this.#value();
      }
      this.#skip(/[ \t]*(#[^\n]*)?/y);
      if (this.#at < this.#text.length && !this.#take('\n')) throw this.#error('unexpected text after a value');
    }
  }

  #descend(from: TomlTable, path: readonly string[], header: boolean): TomlTable {
    let at = from;
    for (const part of path) {
      if (!Object.hasOwn(at, part)) at[part] = table();
      const next = at[part];
      if (typeof next !== 'object' || Array.isArray(next)) {
        throw this.#error(header ? `table "${part}" is a value already` : `"${part}" is a value already`);
      }
      at = next;
    }
    return at;
  }

  #key(): string[] {
    const parts: string[] = [];
    do {
      this.#skip(/[ \t]*/y);
      const bare = this.#match(/[A-Za-z0-9_-]+/y);
      parts.push(bare ?? this.#string() ?? this.#fail('a key is missing'));
      this.#skip(/[ \t]*/y);
    } while (this.#take('.'));
    return parts;
  }

  #value(): TomlValue {
    this.#skip(/[ \t]*/y);
    if (this.#take('[')) return this.#array();
    const text = this.#string();
    if (text !== undefined) return text;
    const word = this.#match(/true|false|[+-]?\d[\d_]*(?![\d.:eE-])/y);
    if (word === 'true' || word === 'false') return word === 'true';
    if (word !== undefined) return Number(word.replaceAll('_', ''));
    throw this.#error('a value of a kind that is not supported here');
  }

  #array(): TomlValue[] {
    const values: TomlValue[] = [];
    const blank = /\s*(#[^\n]*\s*)*/y;
    for (;;) {
      this.#skip(blank);
      if (this.#take(']')) return values;
      values.push(this.#value());
      this.#skip(blank);
      if (!this.#take(',')) {
        this.#expect(']');
        return values;
      }
    }
  }

  #string(): string | undefined {
    const literal = this.#match(/'[^'\n]*'/y);
    if (literal !== undefined) return literal.slice(1, -1);
    const basic = this.#match(/"(?:[^"\\\n]|\\.)*"/y);
    if (basic === undefined) return undefined;
    try {
      return JSON.parse(basic.replaceAll('\t', '\\t')) as string;
    } catch {
      throw this.#error(`bad escape in ${basic}`);
    }
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[0];
  }

  #skip(pattern: RegExp): void {
    this.#match(pattern);
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    this.#skip(/[ \t]*/y);
    if (!this.#take(text)) throw this.#error(`"${text}" is missing`);
  }

  #fail(message: string): never {
    throw this.#error(message);
  }

  #error(message: string): InvalidArgument {
    const line = this.#text.slice(0, this.#at).split('\n').length;
    return new InvalidArgument(`${this.#file}, line ${line}: ${message}`);
  }
}

const table = (): TomlTable => Object.create(null) as TomlTable;
