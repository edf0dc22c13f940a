// COPY and ADD: the same form with different flags.

import { type Flags, flagBoolean, flagValue, takeFlags } from '../flags.ts';
import { jsonStrings, splitWords } from '../forms.ts';
import type { AddInstruction, CopyInstruction } from '../instruction.ts';
import { DockerfileError } from '../source.ts';
import { base, type InstructionLine } from './context.ts';

const shared = { chown: {}, chmod: {}, link: { boolean: true }, exclude: { repeat: true } };

/** COPY [flags] SOURCE… DESTINATION */
export function parseCopy(line: InstructionLine): CopyInstruction {
  const flags = takeFlags('COPY', line.rest, { from: {}, parents: { boolean: true }, ...shared }, line.range);
  const from = flagValue(flags, 'from');
  return {
    kind: 'COPY',
    ...transfer(line, flags),
    parents: flagBoolean(flags, 'parents', line.range) ?? false,
    ...(from !== undefined && { from }),
  };
}

/** ADD [flags] SOURCE… DESTINATION */
export function parseAdd(line: InstructionLine): AddInstruction {
  const flags = takeFlags(
    'ADD',
    line.rest,
    { checksum: {}, 'keep-git-dir': { boolean: true }, unpack: { boolean: true }, ...shared },
    line.range,
  );
  const checksum = flagValue(flags, 'checksum');
  const unpack = flagBoolean(flags, 'unpack', line.range);
  return {
    kind: 'ADD',
    ...transfer(line, flags),
    keepGitDir: flagBoolean(flags, 'keep-git-dir', line.range) ?? false,
    ...(checksum !== undefined && { checksum }),
    ...(unpack !== undefined && { unpack }),
  };
}

function transfer(line: InstructionLine, flags: Flags) {
  const words = jsonStrings(flags.rest) ?? splitWords(flags.rest, line.escape);
  // A heredoc stands among the sources as `<<NAME`; its content is the source.
  const isHeredoc = (word: string): boolean => /^<<-?["']?[^<]/.test(word) && line.heredocs.length > 0;
  const destination = words.at(-1);
  const sources = words.slice(0, -1);
  if (destination === undefined || words.length < 2) {
    throw new DockerfileError(
      `${line.keyword} requires at least two arguments, but only one was provided. Destination could not be determined`,
      line.range,
    );
  }
  if (isHeredoc(destination))
    throw new DockerfileError(`${line.keyword} cannot accept a heredoc as a destination`, line.range);
  const chown = flagValue(flags, 'chown');
  const chmod = flagValue(flags, 'chmod');
  return {
    ...base(line),
    sources: sources.filter(word => !isHeredoc(word)),
    destination,
    heredocs: line.heredocs,
    link: flagBoolean(flags, 'link', line.range) ?? false,
    exclude: (flags.values.get('exclude') ?? []).map(text => text!),
    ...(chown !== undefined && { chown }),
    ...(chmod !== undefined && { chmod }),
  };
}
