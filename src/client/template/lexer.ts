// Go's text/template, first stage: text and actions, and the tokens within an action.

export type Token =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'open' | 'close' | '(' | ')' | '|' | ',' | ':=' | '='; readonly text: string }
  | { readonly kind: 'space'; readonly text: string }
  | {
      readonly kind: 'word' | 'field' | 'variable' | 'dot' | 'number' | 'string' | 'char';
      readonly text: string;
      /** Line and column, as messages name them. */
      readonly position: string;
    };

/** What is wrong with a template, in Go's words. */
export class TemplateError extends Error {}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** An interpreted Go string, without its quotes. */
function unquote(body: string): string {
  return body.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/gs, (_, escaped: string) => {
    if (/^[xuU]/.test(escaped)) return String.fromCodePoint(Number.parseInt(escaped.slice(1), 16));
    if (/^[0-7]{3}$/.test(escaped)) return String.fromCharCode(Number.parseInt(escaped, 8));
    const char = escapes[escaped];
    if (char === undefined) throw new TemplateError(`invalid syntax: \\${escaped}`);
    return char;
  });
}

const patterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['space', /[ \t\r\n]+/y],
  ['string', /"(?:[^"\\\n]|\\.)*"|`[^`]*`/y],
  ['char', /'(?:[^'\\\n]|\\.+?)'/y],
  [':=', /:=/y],
  ['=', /=/y],
  ['|', /\|/y],
  ['(', /\(/y],
  [')', /\)/y],
  [',', /,/y],
  ['number', /[+-]?(?:0[xX][0-9a-fA-F_]+|[0-9][0-9_]*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+)/y],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['dot', /\./y],
  ['variable', /\$[\p{L}\p{N}_]*/uy],
  ['word', /[\p{L}_][\p{L}\p{N}_]*/uy],
];

/** All tokens of a template; `name` is what messages call it. */
export function tokenize(source: string, name: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trimNext = false;
  while (at < source.length) {
    const open = source.indexOf('{{', at);
    let text = source.slice(at, open < 0 ? undefined : open);
    const trimRight = open >= 0 && /^\{\{-\s/.test(source.slice(open, open + 4));
    if (trimNext) text = text.replace(/^[ \t\r\n]+/, '');
    if (trimRight) text = text.replace(/[ \t\r\n]+$/, '');
    if (text !== '') tokens.push({ kind: 'text', text });
    if (open < 0) break;
    at = open + (trimRight ? 3 : 2);
    const line = source.slice(0, at).split('\n').length;
    const comment = /^\s*\/\*[\s\S]*?\*\/\s*?( -)?\}\}/.exec(source.slice(at));
    if (comment !== null) {
      at += comment[0].length;
      trimNext = comment[1] !== undefined;
      continue;
    }
    tokens.push({ kind: 'open', text: '{{' });
    trimNext = false;
    for (;;) {
      const close = /^(\s-)?\}\}/.exec(source.slice(at, at + 4));
      if (close !== null) {
        trimNext = close[1] !== undefined;
        at += close[0].length;
        tokens.push({ kind: 'close', text: '}}' });
        break;
      }
      if (at >= source.length) throw new TemplateError(`template: ${name}:${line}: unclosed action`);
      const token = nextToken(source, at);
      if (token === undefined) {
        if (source[at] === '"') throw new TemplateError(`template: ${name}:${line}: unterminated quoted string`);
        const char = source[at]!;
        const code = char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
        throw new TemplateError(
          `template: ${name}:${line}: unexpected ${char === '}' ? '"}" in command' : `bad character U+${code} '${char}'`}`,
        );
      }
      at += token.length;
      tokens.push(token.token);
    }
  }
  return tokens;
}

function nextToken(source: string, at: number): { token: Token; length: number } | undefined {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at;
    const match = pattern.exec(source)?.[0];
    if (match === undefined) continue;
    let text = match;
    if (kind === 'string') text = match.startsWith('`') ? match.slice(1, -1) : unquote(match.slice(1, -1));
    if (kind === 'char') text = String(unquote(match.slice(1, -1)).codePointAt(0));
    if (kind === 'field') text = match.slice(1);
    return { token: { kind, text, position: positionOf(source, at) } as Token, length: match.length };
  }
  return undefined;
}

function positionOf(source: string, at: number): string {
  const lines = source.slice(0, at).split('\n');
  return `${lines.length}:${lines.at(-1)!.length}`;
}
