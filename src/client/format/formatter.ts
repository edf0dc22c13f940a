// `--format` of the commands that list: table, table TEMPLATE, json, or a template.

import { evaluate, goJson, goString, parse, TemplateError } from '../template/index.ts';
import { alignTable } from './table.ts';

/** What a list can show of one object: fields are getters or methods by Docker's names. */
export interface RowType<T> {
  /** Go's name of the type, for messages. */
  readonly typeName: string;
  /** Column heads by field. */
  readonly headers: Readonly<Record<string, string>>;
  /** The object's row; every field of `headers` and perhaps more. */
  readonly row: (item: T) => object;
  /** Fields of `{{json .}}`, in Docker's order; all getters, sorted, without. */
  readonly jsonFields?: readonly string[];
}

export interface FormatRequest {
  /** The flag's text; empty is the table. */
  readonly format: string;
  readonly defaultTable: string;
  readonly quiet?: string;
}

/** Renders the list; throws Errors in Docker's words. */
export function formatList<T>(items: readonly T[], type: RowType<T>, request: FormatRequest): string {
  let { format } = request;
  if (request.quiet !== undefined && (format === '' || format === 'table')) format = request.quiet;
  let isTable = false;
  if (format === '' || format === 'table') {
    isTable = true;
    format = request.defaultTable;
  } else if (format === 'raw') format = '';
  else if (format.startsWith('table ')) {
    isTable = true;
    format = format.slice('table '.length).trim();
  } else if (format.startsWith('table')) {
    isTable = true;
    format = format.slice('table'.length).trim();
  } else if (format === 'json') format = '{{json .}}';
  const source = format.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  const columns = isTable ? plainColumns(source, type.headers) : undefined;
  if (columns !== undefined) {
    const lines = [columns.map(name => type.headers[name]!)];
    for (const item of items) {
      const row = type.row(item) as Readonly<Record<string, unknown>>;
      lines.push(columns.map(name => goString(row[name])));
    }
    return alignTable(`${lines.map(cells => cells.join('\t')).join('\n')}\n`);
  }
  let template: ReturnType<typeof parse>;
  try {
    template = parse(source);
  } catch (err) {
    throw new Error(`failed to parse template: ${(err as Error).message}`);
  }
  const options = { typeName: type.typeName, functions: { json: (value: unknown) => rowJson(value, type) } };
  try {
    let text = '';
    for (const item of items) text += `${evaluate(template, type.row(item), options)}\n`;
    if (!isTable) return text;
    const heads = new Proxy(type.headers, headerFields);
    const header = evaluate(template, heads, {
      functions: { ...headerFunctions, json: value => rowJson(value, type) },
    });
    return alignTable(`${header}\n${text}`);
  } catch (err) {
    if (err instanceof TemplateError) throw new Error(`failed to execute template: ${err.message}`);
    throw err;
  }
}

/** The fields of a table that is nothing but columns. It needs no template, whose first use costs a cold start some milliseconds. */
function plainColumns(source: string, headers: Readonly<Record<string, string>>): string[] | undefined {
  const names = source.split('\t').map(cell => /^\{\{\.(\w+)\}\}$/.exec(cell)?.[1] ?? '');
  return names.every(name => Object.hasOwn(headers, name)) ? names : undefined;
}

/** In the header line these leave their argument alone. */
const headerFunctions: Readonly<Record<string, (...args: unknown[]) => unknown>> = {
  json: value => value,
  split: value => value,
  join: value => value,
  title: value => value,
  lower: value => value,
  upper: value => value,
  truncate: value => value,
  pad: value => value,
};

/** A field without a head of its own has no value; `.Label "x"` shows x as Docker does. */
const headerFields: ProxyHandler<Readonly<Record<string, string>>> = {
  has: () => true,
  get: (heads, name) => {
    if (name === 'Label') return (label: string) => label.split('.').at(-1)!.replace(/[-_]/g, ' ');
    return Object.hasOwn(heads, name) ? heads[name as string] : undefined;
  },
  getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true, value: '' }),
};

function rowJson<T>(value: unknown, type: RowType<T>): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return goJson(value);
  const fields = type.jsonFields ?? fieldsOf(value);
  return goJson(Object.fromEntries(fields.map(name => [name, (value as Record<string, unknown>)[name]])), true);
}

/** All fields that are no methods, sorted. */
function fieldsOf(row: object): string[] {
  const names = new Set(Object.keys(row));
  for (
    let proto = Object.getPrototypeOf(row) as object;
    proto !== Object.prototype;
    proto = Object.getPrototypeOf(proto) as object
  ) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(proto))) {
      if (property.get !== undefined) names.add(name);
    }
  }
  return [...names].filter(name => /^[A-Z]/.test(name)).sort();
}
