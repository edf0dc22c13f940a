import { keyValues } from '../forms.ts';
import type { EnvInstruction, LabelInstruction } from '../instruction.ts';
import { DockerfileError } from '../source.ts';
import { base, type InstructionLine } from './context.ts';

/** ENV KEY=VALUE …, or ENV KEY VALUE; LABEL has the same form. */
export function parseEnv(line: InstructionLine): EnvInstruction | LabelInstruction {
  const kind = line.keyword as 'ENV' | 'LABEL';
  const result = keyValues(line.rest, line.escape);
  if ('missing' in result) {
    throw new DockerfileError(
      line.rest.includes('=')
        ? `Syntax error - can't find = in "${result.missing}". Must be of the form: name=value`
        : `${kind} must have two arguments`,
      line.range,
    );
  }
  if (result.pairs.length === 0) throw new DockerfileError(`${kind} requires at least one argument`, line.range);
  if (result.pairs.some(pair => pair.key === ''))
    throw new DockerfileError(`${kind} names can not be blank`, line.range);
  return { kind, ...base(line), ...result };
}
