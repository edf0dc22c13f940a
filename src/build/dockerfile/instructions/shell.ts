import { jsonStrings } from '../forms.ts';
import type { ShellInstruction } from '../instruction.ts';
import { DockerfileError } from '../source.ts';
import { base, type InstructionLine } from './context.ts';

/** SHELL ["executable", "parameters"] */
export function parseShell(line: InstructionLine): ShellInstruction {
  const args = jsonStrings(line.rest);
  if (args === undefined) throw new DockerfileError('SHELL requires the arguments to be in JSON form', line.range);
  if (args.length === 0) throw new DockerfileError('SHELL requires at least one argument', line.range);
  return { kind: 'SHELL', ...base(line), args };
}
