import { splitWords } from '../forms.ts';
import type { ExposeInstruction } from '../instruction.ts';
import { DockerfileError } from '../source.ts';
import { base, type InstructionLine } from './context.ts';

/** EXPOSE PORT[/PROTOCOL] …; checked after variables are expanded. */
export function parseExpose(line: InstructionLine): ExposeInstruction {
  const ports = splitWords(line.rest, line.escape);
  if (ports.length === 0) throw new DockerfileError('EXPOSE requires at least one argument', line.range);
  return { kind: 'EXPOSE', ...base(line), ports };
}
