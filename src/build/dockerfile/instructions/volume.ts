import { jsonStrings, splitWords } from '../forms.ts';
import type { VolumeInstruction } from '../instruction.ts';
import { DockerfileError } from '../source.ts';
import { base, type InstructionLine } from './context.ts';

/** VOLUME ["/a", …] or VOLUME /a … */
export function parseVolume(line: InstructionLine): VolumeInstruction {
  const paths = jsonStrings(line.rest) ?? splitWords(line.rest, line.escape);
  if (paths.length === 0) throw new DockerfileError('VOLUME requires at least one argument', line.range);
  if (paths.some(path => path.trim() === ''))
    throw new DockerfileError('VOLUME specified can not be an empty string', line.range);
  return { kind: 'VOLUME', ...base(line), paths };
}
