// Go's text/template, last stage: the tree applied to data.
//
// Data are JSON values. An object whose property is a function offers that as a method: `.Label "x"` calls it.

import { templateFunctions, truth } from './functions.ts';
import { goString, goType, isMap } from './go-print.ts';
import { TemplateError } from './lexer.ts';
import type { CommandNode, Node, Operand, Pipeline, Template } from './parser.ts';

export interface EvaluateOptions {
  /** Go's name of the data's type, for messages about fields that it lacks. */
  readonly typeName?: string;
  /** A field that an object lacks: an error naming it, or (of a map) an error about the entry. */
  readonly missing?: 'field' | 'entry';
  readonly functions?: Readonly<Record<string, (...args: unknown[]) => unknown>>;
}

class LoopControl extends Error {
  readonly control: 'break' | 'continue';
  constructor(control: 'break' | 'continue') {
    super(control);
    this.control = control;
  }
}

interface Variable {
  readonly name: string;
  value: unknown;
}

class Evaluation {
  readonly template: Template;
  readonly options: EvaluateOptions;
  readonly variables: Variable[];
  readonly root: unknown;
  depth = 0;
  out = '';

  constructor(template: Template, data: unknown, options: EvaluateOptions) {
    this.template = template;
    this.options = options;
    this.root = data;
    this.variables = [{ name: '$', value: data }];
  }

  walk(nodes: readonly Node[], dot: unknown): void {
    for (const node of nodes) this.node(node, dot);
  }

  node(node: Node, dot: unknown): void {
    const mark = this.variables.length;
    switch (node.kind) {
      case 'text':
        this.out += node.text;
        return;
      case 'break':
      case 'continue':
        throw new LoopControl(node.kind);
      case 'action': {
        const value = this.pipeline(node.pipeline, dot);
        if (node.pipeline.declares.length === 0) this.out += value === undefined ? '<no value>' : goString(value);
        return;
      }
      case 'template': {
        const body = this.template.defined.get(node.name);
        if (body === undefined)
          throw new TemplateError(`template: ${this.template.name}: template ${JSON.stringify(node.name)} not defined`);
        if (++this.depth > 1000) throw new TemplateError('exceeded maximum template depth');
        this.walk(body, node.pipeline === undefined ? undefined : this.pipeline(node.pipeline, dot));
        this.depth--;
        break;
      }
      case 'if':
      case 'with': {
        const value = this.pipeline(node.pipeline, dot);
        if (truth(value)) this.walk(node.body, node.kind === 'with' ? value : dot);
        else this.walk(node.otherwise, dot);
        break;
      }
      case 'range':
        this.range(node, dot);
        break;
    }
    this.variables.length = mark;
  }

  range(node: Extract<Node, { kind: 'if' | 'with' | 'range' }>, dot: unknown): void {
    const { declares } = node.pipeline;
    const value = this.pipeline({ ...node.pipeline, declares: [] }, dot);
    let entries: (readonly [unknown, unknown])[];
    if (Array.isArray(value)) entries = value.map((item, i) => [i, item] as const);
    else if (typeof value === 'number') entries = Array.from({ length: value }, (_, i) => [i, i] as const);
    else if (value === null || value === undefined) entries = [];
    else if (typeof value === 'object') entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    else throw this.error(`range can't iterate over ${goString(value)}`, { position: '1:2', text: '' });
    if (entries.length === 0) this.walk(node.otherwise, dot);
    for (const [key, item] of entries) {
      const mark = this.variables.length;
      if (declares.length === 1) this.variables.push({ name: declares[0]!, value: item });
      if (declares.length === 2) {
        this.variables.push({ name: declares[0]!, value: key }, { name: declares[1]!, value: item });
      }
      try {
        this.walk(node.body, item);
      } catch (err) {
        if (!(err instanceof LoopControl)) throw err;
        if (err.control === 'break') break;
      } finally {
        this.variables.length = mark;
      }
    }
  }

  pipeline(pipeline: Pipeline, dot: unknown): unknown {
    let value: unknown;
    pipeline.commands.forEach((command, i) => {
      value = this.command(command, dot, i > 0 ? [value] : []);
    });
    for (const name of pipeline.declares) {
      if (!pipeline.assigns) this.variables.push({ name, value });
      else this.variable(name).value = value;
    }
    return value;
  }

  command(command: CommandNode, dot: unknown, piped: readonly unknown[]): unknown {
    const [first, ...rest] = command as readonly [Operand, ...Operand[]];
    if (first.kind === 'function') return this.call(first, rest, dot, piped);
    const value = this.operand(first, dot, () => [...rest.map(operand => this.argument(operand, dot)), ...piped]);
    if ((rest.length > 0 || piped.length > 0) && !this.#called) {
      throw this.error(`can't give argument to non-function ${shown(first)}`, first);
    }
    return value;
  }

  #called = false;

  call(
    operand: Extract<Operand, { kind: 'function' }>,
    rest: readonly Operand[],
    dot: unknown,
    piped: readonly unknown[],
  ): unknown {
    const { name, position } = operand;
    const at = { position, text: name };
    if (name === 'and' || name === 'or') {
      let value: unknown;
      for (const operand of rest) {
        value = this.argument(operand, dot);
        if (truth(value) === (name === 'or')) return value;
      }
      return piped.length > 0 ? piped[0] : value;
    }
    const args = [...rest.map(operand => this.argument(operand, dot)), ...piped];
    if (name === 'call') {
      const [callee, ...others] = args;
      if (typeof callee !== 'function') throw this.error('error calling call: non-function', at);
      return (callee as (...a: unknown[]) => unknown)(...others);
    }
    const callee = this.options.functions?.[name] ?? templateFunctions[name];
    if (callee === undefined) throw this.error(`function ${JSON.stringify(name)} not defined`, at);
    if (callee.length > args.length) {
      throw this.error(`wrong number of args for ${name}: want ${callee.length} got ${args.length}`, at);
    }
    try {
      return callee(...args);
    } catch (err) {
      if (err instanceof TemplateError)
        throw this.error(err.message, { ...at, text: [name, ...rest.map(shown)].join(' ') });
      throw err;
    }
  }

  argument(operand: Operand, dot: unknown): unknown {
    if (operand.kind === 'function') return this.call(operand, [], dot, []);
    return this.operand(operand, dot, () => []);
  }

  /** `args` are evaluated only if the last field turns out to be a method. */
  operand(operand: Operand, dot: unknown, args: () => readonly unknown[]): unknown {
    this.#called = false;
    switch (operand.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return null;
      case 'literal':
        return operand.value;
      case 'variable':
        return this.variable(operand.name).value;
      case 'pipeline':
        return this.pipeline(operand.pipeline, dot);
      case 'function':
        return this.call(operand, [], dot, []);
      case 'field': {
        const on = this.operand(operand.on, dot, () => []);
        this.#called = false;
        return this.field(on, operand, args);
      }
    }
  }

  field(on: unknown, operand: Extract<Operand, { kind: 'field' }>, args: () => readonly unknown[]): unknown {
    const { name } = operand;
    if (on === null || on === undefined) {
      if (this.options.missing === 'entry' && on === undefined)
        throw this.error(`nil data; no entry for key ${JSON.stringify(name)}`, operand);
      throw this.error(`nil pointer evaluating interface {}.${name}`, operand);
    }
    if (
      typeof on === 'object' &&
      name in on &&
      (Object.hasOwn(on, name) || typeof (on as Record<string, unknown>)[name] === 'function' || isAccessor(on, name))
    ) {
      const value = (on as Record<string, unknown>)[name];
      if (typeof value !== 'function') return value;
      const given = args();
      this.#called = true;
      if (value.length > given.length)
        throw this.error(`wrong number of args for ${name}: want ${value.length} got ${given.length}`, operand);
      return (value as (...a: unknown[]) => unknown).apply(on, [...given]);
    }
    if (isMap(on)) {
      if (this.options.missing === 'entry')
        throw this.error(`map has no entry for key ${JSON.stringify(name)}`, operand);
      return undefined;
    }
    if (this.options.missing === 'entry' && typeof on === 'object' && !Array.isArray(on)) {
      throw this.error(`map has no entry for key ${JSON.stringify(name)}`, operand);
    }
    const typeName = on === this.root && this.options.typeName !== undefined ? this.options.typeName : goType(on);
    throw this.error(`can't evaluate field ${name} in type ${typeName}`, operand);
  }

  variable(name: string): Variable {
    const found = this.variables.findLast(variable => variable.name === name);
    if (found === undefined)
      throw new TemplateError(`template: ${this.template.name}:1: undefined variable ${JSON.stringify(name)}`);
    return found;
  }

  error(message: string, at: Operand | { readonly position: string; readonly text: string }): TemplateError {
    const { name } = this.template;
    const text = 'text' in at ? at.text : shown(at);
    const position = 'position' in at ? at.position : '1:2';
    return new TemplateError(
      `template: ${name}:${position}: executing ${JSON.stringify(name)} at <${text}>: ${message}`,
    );
  }
}

/** Getters of a class stand on its prototype; those of Object are not fields. */
function isAccessor(on: object, name: string): boolean {
  for (
    let proto = Object.getPrototypeOf(on) as object | null;
    proto !== null && proto !== Object.prototype;
    proto = Object.getPrototypeOf(proto) as object | null
  ) {
    if (Object.hasOwn(proto, name) && name !== 'constructor') return true;
  }
  return false;
}

function shown(operand: Operand): string {
  switch (operand.kind) {
    case 'field':
      return operand.shown;
    case 'variable':
    case 'function':
      return operand.name;
    case 'literal':
      return typeof operand.value === 'string' ? JSON.stringify(operand.value) : String(operand.value);
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'pipeline':
      return '(...)';
  }
}

/** Applies a template; throws TemplateError in Go's words. */
export function evaluate(template: Template, data: unknown, options: EvaluateOptions = {}): string {
  const evaluation = new Evaluation(template, data, options);
  evaluation.walk(template.nodes, data);
  return evaluation.out;
}
