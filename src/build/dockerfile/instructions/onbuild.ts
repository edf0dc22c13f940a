import type { OnbuildInstruction } from '../instruction.ts';
import { DockerfileError } from '../source.ts';
import { base, type InstructionLine } from './context.ts';

/** ONBUILD INSTRUCTION: kept as text in the image, parsed when a child is built. */
export function parseOnbuild(line: InstructionLine): OnbuildInstruction {
  const inner = line.rest.match(/^\S+/)?.[0].toUpperCase();
  if (inner === undefined) throw new DockerfileError('ONBUILD requires at least one argument', line.range);
  if (inner === 'ONBUILD')
    throw new DockerfileError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", line.range);
  if (inner === 'FROM' || inner === 'MAINTAINER') {
    throw new DockerfileError(`${inner} isn't allowed as an ONBUILD trigger`, line.range);
  }
  const heredocs = line.heredocs.map(doc => `\n${doc.content}${doc.name}`).join('');
  return { kind: 'ONBUILD', ...base(line), trigger: line.rest + heredocs };
}
