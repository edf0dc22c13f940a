// The table of options on a help page, aligned and wrapped as pflag does it.

import type { Flag } from './flag.ts';

/** Space that a word may stick out beyond the wrapping column, rather than stand on a line of its own. */
const slop = 5;

export function flagUsages(flags: readonly Flag[], columns: number): string {
  const rows = flags
    .filter(spec => spec.hidden !== true)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(spec => {
      const name = spec.short === undefined ? `      --${spec.name}` : `  -${spec.short}, --${spec.name}`;
      const value = spec.typeName === '' ? '' : ` ${spec.typeName}`;
      const bare = spec.bare === undefined ? '' : spec.typeName === 'string' ? `[="${spec.bare}"]` : `[=${spec.bare}]`;
      const text = spec.shownDefault === undefined ? spec.usage : `${spec.usage} (default ${spec.shownDefault})`;
      return { left: name + value + bare, text };
    });
  const width = Math.max(...rows.map(row => row.left.length)) + 1;
  return rows.map(({ left, text }) => `${left.padEnd(width + 2)}${wrap(width + 2, columns, text)}\n`).join('');
}

function wrap(indent: number, columns: number, text: string): string {
  if (columns === 0) return text.replaceAll('\n', `\n${' '.repeat(indent)}`);
  let at = indent;
  let out = '';
  if (columns - at < 24) {
    at = 16;
    out = `\n${' '.repeat(at)}`;
    if (columns - at < 24) return text.replaceAll('\n', out);
  }
  const margin = `\n${' '.repeat(at)}`;
  const lines: string[] = [];
  let rest = text;
  do {
    const [line, left] = cut(columns - at - slop, rest);
    lines.push(line.replaceAll('\n', margin));
    rest = left;
  } while (rest !== '');
  return out + lines.join(margin);
}

function cut(width: number, text: string): [string, string] {
  if (width + slop > text.length) return [text, ''];
  const head = text.slice(0, width);
  const space = Math.max(head.lastIndexOf(' '), head.lastIndexOf('\t'), head.lastIndexOf('\n'));
  if (space <= 0) return [text, ''];
  const newline = head.lastIndexOf('\n');
  const at = newline > 0 && newline < space ? newline : space;
  return [text.slice(0, at), text.slice(at + 1)];
}
