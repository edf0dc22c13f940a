import { splitWords } from '../forms.ts';
import type { ArgInstruction } from '../instruction.ts';
import { DockerfileError } from '../source.ts';
import { base, type InstructionLine } from './context.ts';

/** ARG NAME[=DEFAULT] … */
export function parseArg(line: InstructionLine): ArgInstruction {
  const args = splitWords(line.rest, line.escape).map(word => {
    const equals = word.indexOf('=');
    const key = equals === -1 ? word : word.slice(0, equals);
    if (key === '') throw new DockerfileError('ARG names can not be blank', line.range);
    return equals === -1 ? { key } : { key, value: word.slice(equals + 1) };
  });
  if (args.length === 0) throw new DockerfileError('ARG requires at least one argument', line.range);
  return { kind: 'ARG', ...base(line), args };
}
