// Columns aligned as Go's text/tabwriter does it: a cell ends with a tab, a column reaches over neighbouring lines that have it.

export interface TableOptions {
  readonly minWidth: number;
  readonly padding: number;
}

/** Docker's own settings. */
const dockerTable: TableOptions = { minWidth: 10, padding: 3 };

const width = (cell: string): number => [...cell].length;

/** Aligns lines whose cells are separated by tabs. */
export function alignTable(text: string, options: TableOptions = dockerTable): string {
  const endsWithNewline = text.endsWith('\n');
  const lines = (endsWithNewline ? text.slice(0, -1) : text).split('\n').map(line => line.split('\t'));
  const out: string[] = [];
  const widths: number[] = [];

  // A column block: consecutive lines that have a tab-terminated cell at `column`.
  const format = (from: number, to: number): void => {
    const column = widths.length;
    let at = from;
    while (at < to) {
      if (column >= lines[at]!.length - 1) {
        at++;
        continue;
      }
      for (; from < at; from++) out.push(render(lines[from]!));
      let widest = options.minWidth;
      let end = at;
      while (end < to && column < lines[end]!.length - 1) {
        widest = Math.max(widest, width(lines[end]![column]!) + options.padding);
        end++;
      }
      widths.push(widest);
      format(at, end);
      widths.pop();
      at = end;
      from = end;
    }
    for (; from < to; from++) out.push(render(lines[from]!));
  };
  const render = (cells: readonly string[]): string =>
    cells
      .map((cell, i) =>
        i < widths.length && i < cells.length - 1 ? cell + ' '.repeat(widths[i]! - width(cell)) : cell,
      )
      .join('');

  format(0, lines.length);
  return out.join('\n') + (endsWithNewline ? '\n' : '');
}
