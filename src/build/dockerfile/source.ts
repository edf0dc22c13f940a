// Positions in a Dockerfile, and errors that show the place.

import { InvalidArgument } from '../../errdefs/index.ts';

/** First and last line of a thing, counted from 1. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A Dockerfile that cannot be used as it stands; `excerpt` shows the lines around the place, as BuildKit does. */
export class DockerfileError extends InvalidArgument {
  readonly range: Range;

  constructor(message: string, range: Range, options?: ErrorOptions) {
    super(message, options);
    this.range = range;
  }
}

const ranges = new WeakMap<Error, Range>();

/** Remembers which lines an error is about, unless that is known more exactly. */
export function markRange(err: unknown, range: Range | undefined): void {
  if (err instanceof Error && range !== undefined && !ranges.has(err)) ranges.set(err, range);
}

/** The lines that an error is about, where they are known. */
export function rangeOf(err: unknown): Range | undefined {
  if (err instanceof DockerfileError) return err.range;
  return err instanceof Error ? ranges.get(err) : undefined;
}

/** The lines of `range` with two on either side, numbered, those of the range marked, in BuildKit's layout. */
export function excerpt(file: string, text: string, range: Range): string {
  const lines = text.split('\n');
  const first = Math.max(1, range.start - 2);
  const last = Math.min(lines.length, range.end + 2);
  const out = [`${file}:${range.start}`, '--------------------'];
  for (let n = first; n <= last; n++) {
    const mark = n >= range.start && n <= range.end ? '>>>' : '   ';
    out.push(` ${String(n).padStart(3)} | ${mark} ${lines[n - 1] ?? ''}`.trimEnd());
  }
  out.push('--------------------');
  return `${out.join('\n')}\n`;
}

/** The known word nearest to `word` (at most two edits away), for "did you mean". */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = 3;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein distance, or `limit` as soon as it cannot be less. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return Math.min(row[b.length]!, limit);
}
