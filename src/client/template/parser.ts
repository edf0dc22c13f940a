// Go's text/template, second stage: tokens to a tree.

import { TemplateError, type Token, tokenize } from './lexer.ts';

/** An operand with the fields taken from it: `.A.B`, `$x.C`, `(f 1).D`. */
export type Operand =
  | { readonly kind: 'dot' }
  | { readonly kind: 'nil' }
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | {
      readonly kind: 'field';
      readonly on: Operand;
      readonly name: string;
      readonly shown: string;
      readonly position: string;
    }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'function'; readonly name: string; readonly position: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline };

/** A command is its first operand applied to the rest. */
export type CommandNode = readonly Operand[];

export interface Pipeline {
  readonly declares: readonly string[];
  readonly assigns: boolean;
  readonly commands: readonly CommandNode[];
}

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | { readonly kind: 'template'; readonly name: string; readonly pipeline: Pipeline | undefined }
  | { readonly kind: 'break' | 'continue' };

export interface Template {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly defined: ReadonlyMap<string, readonly Node[]>;
}

class Parser {
  readonly tokens: readonly Token[];
  readonly name: string;
  readonly functions: ReadonlySet<string>;
  readonly defined = new Map<string, readonly Node[]>();
  at = 0;
  /** Ranges that are open. */
  loops = 0;

  constructor(tokens: readonly Token[], name: string, functions: ReadonlySet<string>) {
    this.tokens = tokens;
    this.name = name;
    this.functions = functions;
  }

  fail(message: string): never {
    throw new TemplateError(`template: ${this.name}:1: ${message}`);
  }

  /** Nodes up to one of the words that end them; the ending action's word is returned, its keyword consumed. */
  nodes(ends: readonly string[]): { nodes: Node[]; end: string | undefined } {
    const nodes: Node[] = [];
    while (this.at < this.tokens.length) {
      const token = this.tokens[this.at++]!;
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text });
        continue;
      }
      this.space();
      const word = this.peek()?.kind === 'word' ? this.peek()!.text : '';
      if (ends.includes(word)) {
        this.at++;
        return { nodes, end: word };
      }
      const node = this.action(word);
      if (node !== undefined) nodes.push(node);
    }
    if (ends.length > 0) this.fail('unexpected EOF');
    return { nodes, end: undefined };
  }

  action(word: string): Node | undefined {
    switch (word) {
      case 'if':
      case 'with':
      case 'range':
        this.at++;
        return this.control(word);
      case 'end':
      case 'else':
        return this.fail(`unexpected {{${word}}}`);
      case 'break':
      case 'continue':
        if (this.loops === 0) this.fail(`{{${word}}} outside {{range}}`);
        this.at++;
        this.close();
        return { kind: word };
      case 'define': {
        this.at++;
        const name = this.string('define clause');
        this.close();
        const { nodes } = this.nodes(['end']);
        this.close();
        this.defined.set(name, nodes);
        return undefined;
      }
      case 'template': {
        this.at++;
        const name = this.string('template clause');
        this.space();
        const pipeline = this.peek()?.kind === 'close' ? undefined : this.pipeline('close');
        this.close();
        return { kind: 'template', name, pipeline };
      }
      default: {
        const pipeline = this.pipeline('close');
        this.close();
        return { kind: 'action', pipeline };
      }
    }
  }

  control(kind: 'if' | 'with' | 'range'): Node {
    const pipeline = this.pipeline('close', kind);
    this.close();
    if (kind === 'range') this.loops++;
    const { nodes: body, end } = this.nodes(['end', 'else']);
    if (kind === 'range') this.loops--;
    let otherwise: readonly Node[] = [];
    if (end === 'else') {
      this.space();
      const next = this.peek();
      if (next?.kind === 'word' && (next.text === 'if' || next.text === 'with')) {
        this.at++;
        return { kind, pipeline, body, otherwise: [this.control(next.text)] };
      }
      this.close();
      otherwise = this.nodes(['end']).nodes;
    }
    this.close();
    return { kind, pipeline, body, otherwise };
  }

  pipeline(end: 'close' | ')', context = 'command'): Pipeline {
    const declares: string[] = [];
    let assigns = false;
    const start = this.at;
    this.space();
    while (this.peek()?.kind === 'variable') {
      const name = this.tokens[this.at++]!.text;
      this.space();
      const next = this.peek()?.kind;
      if (next === ':=' || next === '=') {
        declares.push(name);
        assigns = next === '=';
        this.at++;
        break;
      }
      if (next !== ',' || context !== 'range' || declares.length > 0) {
        declares.length = 0;
        this.at = start;
        break;
      }
      declares.push(name);
      this.at++;
      this.space();
    }
    const commands: CommandNode[] = [];
    for (;;) {
      this.space();
      const token = this.peek();
      if (token === undefined) this.fail('unexpected EOF');
      if (token.kind === end) {
        if (commands.length === 0) this.fail(`missing value for ${context}`);
        return { declares, assigns, commands };
      }
      if (token.kind === 'close') this.fail('unclosed left paren');
      if (token.kind === ')') this.fail('unexpected right paren');
      commands.push(this.command());
      this.space();
      if (this.peek()?.kind === '|') {
        this.at++;
        this.space();
        if (this.peek()?.kind === end) this.fail(`missing value for ${context}`);
      }
    }
  }

  command(): CommandNode {
    const operands: Operand[] = [];
    for (;;) {
      this.space();
      const token = this.peek();
      if (token === undefined || token.kind === 'close' || token.kind === ')' || token.kind === '|') break;
      operands.push(this.operand());
    }
    if (operands.length === 0) this.fail('empty command');
    return operands;
  }

  operand(): Operand {
    const token = this.tokens[this.at++]!;
    let operand: Operand;
    // A chain of fields: messages name all of it, whichever part fails.
    let chain = '';
    const fields: string[] = [];
    let position = '';
    switch (token.kind) {
      case 'string':
        operand = { kind: 'literal', value: token.text };
        break;
      case 'char':
      case 'number':
        operand = { kind: 'literal', value: Number(token.text.replaceAll('_', '')) };
        break;
      case 'dot':
        operand = { kind: 'dot' };
        break;
      case 'field':
        fields.push(token.text);
        position = token.position;
        operand = { kind: 'dot' };
        break;
      case 'variable':
        chain = token.text;
        operand = { kind: 'variable', name: token.text };
        break;
      case 'word':
        if (token.text === 'true' || token.text === 'false')
          operand = { kind: 'literal', value: token.text === 'true' };
        else if (token.text === 'nil') operand = { kind: 'nil' };
        else if (this.functions.has(token.text))
          operand = { kind: 'function', name: token.text, position: token.position };
        else this.fail(`function ${JSON.stringify(token.text)} not defined`);
        break;
      case '(':
        operand = { kind: 'pipeline', pipeline: this.pipeline(')') };
        this.at++;
        break;
      default:
        this.fail(`unexpected ${JSON.stringify(token.text)} in operand`);
    }
    for (let first = true; this.peek()?.kind === 'field'; first = false) {
      const field = this.tokens[this.at++] as Extract<Token, { position: string }>;
      if (first) position = field.position; // Go names a chain by its second part's place
      fields.push(field.text);
    }
    chain += fields.map(field => `.${field}`).join('');
    for (const name of fields) operand = { kind: 'field', on: operand, name, shown: chain, position };
    return operand;
  }

  string(context: string): string {
    this.space();
    const token = this.tokens[this.at++];
    if (token?.kind !== 'string') this.fail(`unexpected ${JSON.stringify(token?.text ?? 'EOF')} in ${context}`);
    return token.text;
  }

  peek(): Token | undefined {
    return this.tokens[this.at];
  }

  space(): void {
    while (this.peek()?.kind === 'space') this.at++;
  }

  close(): void {
    this.space();
    const token = this.tokens[this.at++];
    if (token?.kind !== 'close') this.fail(`unexpected ${JSON.stringify(token?.text ?? 'EOF')} in command`);
  }
}

/** Parses a template; throws TemplateError in Go's words. `functions` are those it may call. */
export function parseTemplate(source: string, functions: ReadonlySet<string>, name = ''): Template {
  const parser = new Parser(tokenize(source, name), name, functions);
  const { nodes } = parser.nodes([]);
  return { name, nodes, defined: parser.defined };
}
