import type { TextInstruction } from '../instruction.ts';
import { DockerfileError } from '../source.ts';
import { base, type InstructionLine } from './context.ts';

/** USER, WORKDIR, STOPSIGNAL and MAINTAINER: one text. */
export function parseText(line: InstructionLine): TextInstruction {
  if (line.rest === '') throw new DockerfileError(`${line.keyword} requires exactly one argument`, line.range);
  return { kind: line.keyword as TextInstruction['kind'], ...base(line), text: line.rest };
}
