import type { Instruction } from '../instruction.ts';
import type { LogicalLine } from '../lines.ts';

/** What the parser of one instruction is given. `keyword` is in capitals. */
export interface InstructionLine extends LogicalLine {
  readonly keyword: string;
  readonly escape: '\\' | '`';
}

export type ParseInstruction = (line: InstructionLine) => Instruction;

/** The members that every instruction has. */
export const base = (line: InstructionLine): { original: string; range: LogicalLine['range'] } => ({
  original: line.rest === '' ? line.keyword : `${line.keyword} ${line.rest}`,
  range: line.range,
});
