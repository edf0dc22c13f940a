// The `filters` parameter (reference engine-api.md, section 6): {"key":{"value":true}}, and the older {"key":["value"]}.

import { InvalidArgument } from '../errdefs/index.ts';

/** Parsed filters. Values of one key are alternatives (labels excepted), keys must all hold. */
export class Filters {
  readonly #byKey: ReadonlyMap<string, readonly string[]>;

  constructor(entries: Iterable<readonly [string, readonly string[]]> = []) {
    this.#byKey = new Map(entries);
  }

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  get(key: string): readonly string[] {
    return this.#byKey.get(key) ?? [];
  }

  keys(): string[] {
    return [...this.#byKey.keys()];
  }

  /** Refuses keys that the endpoint does not know. */
  validate(accepted: readonly string[]): void {
    for (const key of this.#byKey.keys()) {
      if (!accepted.includes(key)) throw new InvalidArgument(`invalid filter '${key}'`);
    }
  }

  /** A key with one of 0, 1, true, false; `fallback` when absent. Anything else, or both, is refused. */
  bool(key: string, fallback: boolean): boolean {
    const values = this.get(key);
    if (values.length === 0) return fallback;
    const on = values.some(value => value === '1' || value === 'true');
    const off = values.some(value => value === '0' || value === 'false');
    if (on === off) throw new InvalidArgument(`invalid filter '${key}=[${values.join(' ')}]'`);
    return on;
  }

  /** Whether a key is absent, or one of its values is exactly this. */
  exact(key: string, value: string): boolean {
    const values = this.get(key);
    return values.length === 0 || values.includes(value);
  }

  /** Whether the labels satisfy every value of `key`: "name" asks for presence, "name=value" for equality. */
  labels(key: string, labels: Readonly<Record<string, string>> | null | undefined): boolean {
    return this.get(key).every(wanted => {
      const at = wanted.indexOf('=');
      const name = at < 0 ? wanted : wanted.slice(0, at);
      if (labels === null || labels === undefined || !Object.hasOwn(labels, name)) return false;
      return at < 0 || labels[name] === wanted.slice(at + 1);
    });
  }

  /** Whether a key is absent, or one of its values matches as an unanchored regular expression, or is a part of the source. */
  match(key: string, source: string): boolean {
    const values = this.get(key);
    return values.length === 0 || values.some(value => value === source || matches(value, source));
  }

  /** The parameter's newer encoding; keys and values sorted, as Go prints maps. */
  encode(): string {
    const out: Record<string, Record<string, true>> = {};
    for (const key of this.keys().sort()) {
      out[key] = Object.fromEntries([...this.get(key)].sort().map(value => [value, true] as const));
    }
    return JSON.stringify(out);
  }
}

function matches(pattern: string, source: string): boolean {
  try {
    return new RegExp(pattern).test(source);
  } catch {
    return source.includes(pattern);
  }
}

/** Reads the parameter; empty or absent means no filters. Throws InvalidArgument. */
export function parseFilters(parameter: string | null | undefined): Filters {
  if (parameter === null || parameter === undefined || parameter === '') return new Filters();
  let value: unknown;
  try {
    value = JSON.parse(parameter);
  } catch {
    throw new InvalidArgument('invalid filter');
  }
  if (value === null) return new Filters();
  if (typeof value !== 'object' || Array.isArray(value)) throw new InvalidArgument('invalid filter');
  return new Filters(Object.entries(value).map(([key, values]) => [key, valuesOf(values)]));
}

function valuesOf(values: unknown): string[] {
  if (values === null) return [];
  if (Array.isArray(values)) {
    if (values.every(value => typeof value === 'string')) return values;
  } else if (typeof values === 'object' && values !== null) {
    const entries = Object.entries(values);
    // A value set to false is still there for the engine: only the keys count.
    if (entries.every(([, on]) => typeof on === 'boolean')) return entries.map(([value]) => value);
  }
  throw new InvalidArgument('invalid filter');
}
