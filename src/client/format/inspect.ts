// `inspect` of any kind of object: JSON as the daemon sent it, or a template.

import type { Cli } from '../cli.ts';
import { StatusError } from '../command/command.ts';
import { asMap, evaluate, parse, type Template, TemplateError } from '../template/index.ts';
import { knownShape } from './inspect-shapes.ts';

/** How an object is found: its JSON as sent. */
export type Lookup = (name: string) => Promise<string>;

/** Inspects each, prints what was found, and fails for what was not. */
export async function inspectEach(
  cli: Cli,
  names: readonly string[],
  format: string,
  lookup: Lookup,
  describeError = (err: Error, _name: string): string => err.message,
): Promise<number> {
  const asJson = format === '' || format === 'json';
  let template: Template | undefined;
  if (!asJson) {
    try {
      template = parse(format.replaceAll('\\t', '\t').replaceAll('\\n', '\n'));
    } catch (err) {
      throw new StatusError(`template parsing error: ${(err as Error).message}`, 64);
    }
  }
  const found: string[] = [];
  const errors: string[] = [];
  for (const name of names) {
    let json: string;
    try {
      json = await lookup(name);
    } catch (err) {
      errors.push(describeError(err as Error, name));
      continue;
    }
    if (template === undefined) {
      found.push(json.trim());
      continue;
    }
    try {
      found.push(render(template, JSON.parse(json)));
    } catch (err) {
      if (!(err instanceof TemplateError)) throw err;
      cli.print(found.join('\n'));
      throw new StatusError(`template parsing error: ${err.message}`, 1);
    }
  }
  if (template !== undefined) {
    for (const text of found) cli.print(text);
    if (found.length === 0 && errors.length > 0) cli.print('');
  } else if (format === 'json') cli.print(`[${found.join(',')}]`);
  else cli.print(indentJsonList(found));
  if (errors.length > 0) throw new StatusError(errors.join('\n'), 1);
  return 0;
}

/** With the fields that Go's type has and JSON left out, first; where a field is unknown even so, as plain JSON, whose objects are maps. */
function render(template: Template, value: unknown): string {
  try {
    return evaluate(template, knownShape(value), { missing: 'entry' });
  } catch (err) {
    if (!(err instanceof TemplateError)) throw err;
    return evaluate(template, allMaps(value), { missing: 'entry' });
  }
}

function allMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(allMaps);
  if (typeof value !== 'object' || value === null) return value;
  return asMap(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, allMaps(item)])));
}

/** Objects as Go's json.Indent prints an array of them, numbers and escapes left as they came. */
function indentJsonList(objects: readonly string[]): string {
  return objects.length === 0 ? '[]' : `[\n    ${objects.map(json => indentJson(json, '    ')).join(',\n    ')}\n]`;
}

/** Re-indents without parsing, so that numbers beyond 2^53 and the order of keys stay. */
export function indentJson(json: string, prefix = ''): string {
  let out = '';
  let depth = 0;
  const newline = (): string => `\n${prefix}${'    '.repeat(depth)}`;
  for (let i = 0; i < json.length; i++) {
    const char = json[i]!;
    if (char === '"') {
      const start = i;
      for (i++; json[i] !== '"' && i < json.length; i++) if (json[i] === '\\') i++;
      out += json.slice(start, i + 1);
    } else if (char === '{' || char === '[') {
      let next = i + 1;
      while (' \n\r\t'.includes(json[next] ?? '')) next++;
      if (json[next] === '}' || json[next] === ']') {
        out += char + json[next];
        i = next;
        continue;
      }
      depth++;
      out += char + newline();
    } else if (char === '}' || char === ']') {
      depth--;
      out += newline() + char;
    } else if (char === ',') out += char + newline();
    else if (char === ':') out += ': ';
    else if (!' \n\r\t'.includes(char)) out += char;
  }
  return out;
}
