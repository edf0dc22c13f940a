import { flagValue, takeFlags } from '../flags.ts';
import type { FromInstruction } from '../instruction.ts';
import { DockerfileError } from '../source.ts';
import { base, type InstructionLine } from './context.ts';

/** FROM [--platform=P] IMAGE [AS NAME] */
export function parseFrom(line: InstructionLine): FromInstruction {
  const flags = takeFlags('FROM', line.rest, { platform: {} }, line.range);
  const words = flags.rest.split(/\s+/).filter(word => word !== '');
  const [image, as, name] = words;
  if (image === undefined || (words.length !== 1 && (words.length !== 3 || as!.toUpperCase() !== 'AS'))) {
    throw new DockerfileError('FROM requires either one or three arguments', line.range);
  }
  if (name !== undefined && !/^[a-z][a-z0-9-_.]*$/.test(name.toLowerCase())) {
    throw new DockerfileError(
      `invalid name for build stage: "${name}", name can't start with a number or contain symbols`,
      line.range,
    );
  }
  const platform = flagValue(flags, 'platform');
  return {
    kind: 'FROM',
    ...base(line),
    image,
    ...(name !== undefined && { name: name.toLowerCase() }),
    ...(platform !== undefined && { platform }),
  };
}
