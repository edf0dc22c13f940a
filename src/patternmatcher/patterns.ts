// .dockerignore: which files of a context are left out (dockerfile reference, ".dockerignore file"; moby/patternmatcher).

import { InvalidArgument } from '../errdefs/index.ts';

interface Pattern {
  readonly exclude: boolean;
  readonly match: RegExp;
}

/** Bounds for a hostile file. */
const maxPatterns = 10_000;
const maxPatternLength = 4096;

/** The rules of one ignore file. */
export class IgnoreRules {
  readonly #patterns: readonly Pattern[];
  /** True where a `!` rule exists: then an ignored directory may still hold files that are not. */
  readonly hasExceptions: boolean;

  private constructor(patterns: readonly Pattern[]) {
    this.#patterns = patterns;
    this.hasExceptions = patterns.some(pattern => !pattern.exclude);
  }

  /** Reads the text of an ignore file. Throws InvalidArgument for a pattern that cannot be read. */
  static parse(text: string): IgnoreRules {
    const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
    return IgnoreRules.of(lines.filter(line => !line.startsWith('#')));
  }

  /** Rules from patterns, one each; blank ones are dropped. */
  static of(lines: readonly string[]): IgnoreRules {
    const patterns: Pattern[] = [];
    for (const line of lines) {
      let text = line.trim();
      if (text === '') continue;
      const exclude = !text.startsWith('!');
      if (!exclude) text = text.slice(1).trim();
      if (text === '') throw new InvalidArgument('illegal exclusion pattern: "!"');
      if (text.length > maxPatternLength)
        throw new InvalidArgument(`ignore pattern is longer than ${maxPatternLength} characters`);
      text = clean(text);
      if (text === '.') continue;
      patterns.push({ exclude, match: new RegExp(`^${patternSource(text)}$`, 's') });
      if (patterns.length > maxPatterns) throw new InvalidArgument(`more than ${maxPatterns} ignore patterns`);
    }
    return new IgnoreRules(patterns);
  }

  /** Is `path` (slash-separated, relative to the context's root) left out? A rule that matches a parent directory matches what is in it; the last rule that matches decides. */
  ignores(path: string): boolean {
    const parents: string[] = [];
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) parents.push(path.slice(0, at));
    let ignored = false;
    for (const { exclude, match } of this.#patterns) {
      if (exclude === ignored) continue; // it would change nothing
      if (match.test(path) || parents.some(parent => match.test(parent))) ignored = exclude;
    }
    return ignored;
  }
}

/** filepath.Clean, without the leading slash. */
function clean(path: string): string {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && out.length > 0 && out.at(-1) !== '..') out.pop();
    else if (part !== '..') out.push(part);
  }
  return out.length === 0 ? '.' : out.join('/');
}

/** Source of the regular expression of a glob: `*` and `?` within a name, `[..]`, `**` over any depth, `\` escapes. */
export function patternSource(glob: string): string {
  let source = '';
  for (let i = 0; i < glob.length; i++) {
    const c = glob[i]!;
    if (c === '*') {
      if (glob[i + 1] !== '*') {
        source += '[^/]*';
        continue;
      }
      while (glob[i + 1] === '*') i++;
      if (i + 1 === glob.length) source += '.*';
      else {
        if (glob[i + 1] === '/') i++;
        source += '(?:.*/)?';
      }
    } else if (c === '?') source += '[^/]';
    else if (c === '[') {
      const end = glob.indexOf(']', i + 2);
      if (end === -1) throw new InvalidArgument(`syntax error in pattern: "${glob}"`);
      const body = glob.slice(i + 1, end);
      const negated = body.startsWith('^') || body.startsWith('!');
      source += `[${negated ? '^/' : ''}${(negated ? body.slice(1) : body).replace(/[\\[\]^]/g, '\\$&')}]`;
      i = end;
    } else if (c === '\\') {
      if (i + 1 === glob.length) throw new InvalidArgument(`syntax error in pattern: "${glob}"`);
      source += quote(glob[++i]!);
    } else source += quote(c);
  }
  return source;
}

const quote = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
