// Go's words for malformed JSON (encoding/json): some clients show them, so a parse that JSON.parse refused is scanned
// again to find what Go would have said.

const literals: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' };

class SyntaxProblem extends Error {}

/** A character as Go quotes it: 'x', '\n'. */
const quoteChar = (char: string): string =>
  char === "'" ? `'\\''` : char === '"' ? `'"'` : `'${JSON.stringify(char).slice(1, -1)}'`;

class Scanner {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  space(): void {
    while (this.at < this.text.length && ' \t\r\n'.includes(this.text[this.at]!)) this.at++;
  }

  /** The next character after white space, not consumed. */
  peek(): string {
    this.space();
    const char = this.text[this.at];
    if (char === undefined) throw new SyntaxProblem('unexpected EOF');
    return char;
  }

  bad(where: string): never {
    throw new SyntaxProblem(`invalid character ${quoteChar(this.text[this.at]!)} ${where}`);
  }

  /** Skips one value. Iterative on containers, so that deep nesting cannot exhaust the stack. */
  value(): void {
    const open: ('{' | '[')[] = [];
    for (;;) {
      const char = this.peek();
      let opened = false;
      if (char === '{' || char === '[') {
        open.push(char);
        this.at++;
        opened = true;
      } else if (char === '"') this.string();
      else if (char === '-' || (char >= '0' && char <= '9')) this.number();
      else if (char in literals) this.literal(literals[char]!);
      else this.bad('looking for beginning of value');
      // Close what is complete, then stand before the next value or return.
      for (;;) {
        const inside = open.at(-1);
        if (inside === undefined) return;
        const next = this.peek();
        const close = inside === '{' ? '}' : ']';
        if (next === close) {
          this.at++;
          open.pop();
          opened = false;
          continue;
        }
        if (!opened) {
          if (next !== ',') this.bad(inside === '{' ? 'after object key:value pair' : 'after array element');
          this.at++;
        }
        if (inside === '{') this.key();
        break;
      }
    }
  }

  key(): void {
    if (this.peek() !== '"') this.bad('looking for beginning of object key string');
    this.string();
    if (this.peek() !== ':') this.bad('after object key');
    this.at++;
  }

  string(): void {
    for (this.at++; ; this.at++) {
      const char = this.text[this.at];
      if (char === undefined) throw new SyntaxProblem('unexpected EOF');
      if (char === '"') break;
      if (char < ' ') this.bad('in string');
      if (char !== '\\') continue;
      this.at++;
      const escaped = this.text[this.at];
      if (escaped === undefined) throw new SyntaxProblem('unexpected EOF');
      if (!'"\\/bfnrtu'.includes(escaped))
        throw new SyntaxProblem(`invalid escape sequence \`\\${escaped}\` in string`);
    }
    this.at++;
  }

  number(): void {
    const match = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/.exec(this.text.slice(this.at, this.at + 400));
    if (match === null) {
      this.at++;
      if (this.at >= this.text.length) throw new SyntaxProblem('unexpected EOF');
      this.bad('in numeric literal');
    }
    this.at += match[0].length;
  }

  literal(word: string): void {
    for (const char of word) {
      if (this.at >= this.text.length) throw new SyntaxProblem('unexpected EOF');
      if (this.text[this.at] !== char) this.bad(`in literal ${word} (expecting ${quoteChar(char)})`);
      this.at++;
    }
  }
}

/** What is wrong with the text, as Go words it; undefined for one well-formed value. */
export function jsonProblem(
  text: string,
): { readonly kind: 'syntax' | 'trailing'; readonly message: string } | undefined {
  const scanner = new Scanner(text);
  try {
    scanner.value();
  } catch (err) {
    if (!(err instanceof SyntaxProblem)) throw err;
    return { kind: 'syntax', message: err.message };
  }
  scanner.space();
  if (scanner.at < text.length) return { kind: 'trailing', message: 'unexpected content after JSON' };
  return undefined;
}
