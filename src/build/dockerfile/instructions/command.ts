import { commandForm } from '../forms.ts';
import type { CommandInstruction } from '../instruction.ts';
import { base, type InstructionLine } from './context.ts';

/** CMD and ENTRYPOINT, in exec or shell form; an empty CMD or ENTRYPOINT clears the one inherited. */
export function parseCommand(line: InstructionLine): CommandInstruction {
  const command = line.rest === '' ? ({ form: 'exec', args: [] } as const) : commandForm(line.rest);
  return { kind: line.keyword as 'CMD' | 'ENTRYPOINT', ...base(line), command };
}
