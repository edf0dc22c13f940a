// From text to logical lines: parser directives, comments, continuations and heredocs (dockerfile reference, "Parser directives",
// "Format", "Here-Documents").

import { DockerfileError, type Range } from './source.ts';

/** A document given in the file itself: `<<EOF ... EOF`. */
export interface Heredoc {
  readonly name: string;
  readonly content: string;
  /** False where the name was quoted: variables stay as they are. */
  readonly expand: boolean;
  /** `<<-`: leading tabs were taken off. */
  readonly chomp: boolean;
}

/** One instruction with its continuation lines joined. */
export interface LogicalLine {
  /** As written, in any case. */
  readonly instruction: string;
  /** All after the instruction, joined, trimmed. */
  readonly rest: string;
  readonly heredocs: readonly Heredoc[];
  readonly range: Range;
}

export interface Directives {
  readonly syntax?: string;
  readonly escape: '\\' | '`';
  readonly check?: string;
}

export interface LexedFile {
  readonly directives: Directives;
  readonly lines: readonly LogicalLine[];
  /** Last lines of instructions with empty continuations (rule NoEmptyContinuation). */
  readonly emptyContinuations: readonly number[];
}

/** A Dockerfile is refused above this size: nobody writes one by hand, and generated ones stay far below. */
export const maxDockerfileBytes = 4 * 1024 * 1024;
const maxHeredocsPerLine = 64;

const directiveLine = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;
const known = new Set(['syntax', 'escape', 'check']);

/** Splits a Dockerfile into logical lines. Throws DockerfileError. */
export function lex(text: string): LexedFile {
  if (text.length > maxDockerfileBytes) {
    throw new DockerfileError(`dockerfile is too large: ${text.length} bytes, the limit is ${maxDockerfileBytes}`, {
      start: 1,
      end: 1,
    });
  }
  const source = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const { directives, next } = readDirectives(source);
  const continuation = directives.escape === '\\' ? /\\[ \t]*$/ : /`[ \t]*$/;
  const lines: LogicalLine[] = [];
  const emptyContinuations: number[] = [];

  for (let i = next; i < source.length; i++) {
    const first = source[i]!.trimStart();
    if (first === '' || first.startsWith('#')) continue;
    const start = i + 1;
    let joined = '';
    let piece = first;
    let emptied = false;
    for (;;) {
      if (!continuation.test(piece)) {
        joined += piece;
        break;
      }
      joined += piece.replace(continuation, '');
      // Comments inside a continuation vanish; empty lines too, with a warning.
      do {
        i++;
        if (i < source.length && source[i]!.trim() === '') emptied = true;
      } while (i < source.length && (source[i]!.trim() === '' || source[i]!.trimStart().startsWith('#')));
      if (i >= source.length) break;
      piece = source[i]!;
    }
    if (emptied) emptyContinuations.push(Math.min(i + 1, source.length));
    const logical = joined.trim();
    const split = logical.match(/^(\S+)\s*([\s\S]*)$/)!;
    const instruction = split[1]!;
    const heredocs: Heredoc[] = [];
    if (takesHeredocs(instruction, split[2]!)) {
      for (const opening of heredocOpenings(split[2]!)) {
        if (heredocs.length === maxHeredocsPerLine) {
          throw new DockerfileError(`too many heredocs in one instruction (limit ${maxHeredocsPerLine})`, {
            start,
            end: i + 1,
          });
        }
        const content: string[] = [];
        let closed = false;
        while (i + 1 < source.length && !closed) {
          i++;
          const line = source[i]!;
          const bare = opening.chomp ? line.replace(/^\t+/, '') : line;
          if (bare === opening.name) closed = true;
          else content.push(`${bare}\n`);
        }
        if (!closed) {
          const end = source.at(-1) === '' ? source.length - 1 : source.length;
          throw new DockerfileError('unterminated heredoc', { start, end });
        }
        heredocs.push({ name: opening.name, expand: opening.expand, chomp: opening.chomp, content: content.join('') });
      }
    }
    lines.push({
      instruction,
      rest: split[2]!.trim(),
      heredocs,
      range: { start, end: Math.min(i + 1, source.length) },
    });
  }
  return { directives, lines, emptyContinuations };
}

function readDirectives(source: readonly string[]): { directives: Directives; next: number } {
  const seen = new Map<string, string>();
  let i = 0;
  // A shebang may stand before the directives.
  if (source[0]?.startsWith('#!')) i = 1;
  for (; i < source.length; i++) {
    const match = source[i]!.match(directiveLine);
    if (match === null) break;
    const key = match[1]!.toLowerCase();
    if (!known.has(key)) break;
    const range = { start: i + 1, end: i + 1 };
    if (seen.has(key)) throw new DockerfileError(`only one ${key} parser directive can be used`, range);
    if (key === 'escape' && match[2] !== '\\' && match[2] !== '`') {
      throw new DockerfileError(`invalid ESCAPE '${match[2]}'. Must be ' or \\`, range);
    }
    seen.set(key, match[2]!);
  }
  const syntax = seen.get('syntax') ?? slashSyntax(source);
  const check = seen.get('check');
  return {
    directives: {
      escape: seen.get('escape') === '`' ? '`' : '\\',
      ...(syntax !== undefined && { syntax }),
      ...(check !== undefined && { check }),
    },
    next: i,
  };
}

/** `// syntax=` on the first line, for Dockerfiles that are something else first. */
function slashSyntax(source: readonly string[]): string | undefined {
  const line = source[0]?.startsWith('#!') ? source[1] : source[0];
  return line?.match(/^\/\/\s*syntax\s*=\s*(.+?)\s*$/i)?.[1];
}

/** RUN, COPY and ADD take heredocs, and so does an ONBUILD of them; a RUN in exec form does not. */
function takesHeredocs(instruction: string, rest: string): boolean {
  const name = instruction.toUpperCase();
  if (name === 'ONBUILD') {
    const inner = rest.match(/^(\S+)\s*([\s\S]*)$/);
    return inner !== null && takesHeredocs(inner[1]!, inner[2]!);
  }
  return (name === 'RUN' || name === 'COPY' || name === 'ADD') && rest.includes('<<');
}

/** The `<<NAME`, `<<-NAME`, `<<"NAME"` of a line, outside quotes, in order. A `<<<` is a here-string of the shell, not ours. */
function heredocOpenings(text: string): { name: string; expand: boolean; chomp: boolean }[] {
  const found: { name: string; expand: boolean; chomp: boolean }[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '\\') i++;
    else if (c === "'" || c === '"') {
      const close = text.indexOf(c, i + 1);
      if (close === -1) return found;
      i = close;
    } else if (c === '<' && text[i + 1] === '<') {
      if (text[i + 2] === '<') {
        i += 2;
        continue;
      }
      const match = text.slice(i).match(/^<<(-?)(?:"([^"\s]+)"|'([^'\s]+)'|([a-zA-Z_][a-zA-Z0-9_.]*))/);
      if (match === null) continue;
      const name = match[2] ?? match[3] ?? match[4]!;
      found.push({ name, expand: match[4] !== undefined, chomp: match[1] === '-' });
      i += match[0].length - 1;
    }
  }
  return found;
}
