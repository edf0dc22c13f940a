import { type EvaluateOptions, evaluate } from './evaluate.ts';
import { functionNames } from './functions.ts';
import { parseTemplate, type Template } from './parser.ts';

export { goJson, truth } from './functions.ts';
export { asMap, goQuote, goString, nilMap, nilSlice } from './go-print.ts';
export { TemplateError } from './lexer.ts';
export { type EvaluateOptions, evaluate, type Template };

/** Parses a template that may call Go's functions and Docker's. */
export const parse = (source: string, name = ''): Template => parseTemplate(source, functionNames, name);
