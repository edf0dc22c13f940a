// The parse tree of a Dockerfile: directives, the ARGs before the first FROM, and stages.

import { InvalidArgument } from '../../errdefs/index.ts';
import type { ArgInstruction, FromInstruction, Instruction, StageInstruction } from './instruction.ts';
import { parseArg } from './instructions/arg.ts';
import { parseCommand } from './instructions/command.ts';
import type { ParseInstruction } from './instructions/context.ts';
import { parseEnv } from './instructions/env.ts';
import { parseExpose } from './instructions/expose.ts';
import { parseFrom } from './instructions/from.ts';
import { parseHealthcheck } from './instructions/healthcheck.ts';
import { parseOnbuild } from './instructions/onbuild.ts';
import { parseRun } from './instructions/run.ts';
import { parseShell } from './instructions/shell.ts';
import { parseText } from './instructions/text.ts';
import { parseAdd, parseCopy } from './instructions/transfer.ts';
import { parseVolume } from './instructions/volume.ts';
import { type Directives, type LogicalLine, lex } from './lines.ts';
import { DockerfileError, nearest } from './source.ts';

const parsers: Readonly<Record<string, ParseInstruction>> = {
  FROM: parseFrom,
  RUN: parseRun,
  COPY: parseCopy,
  ADD: parseAdd,
  ENV: parseEnv,
  LABEL: parseEnv,
  ARG: parseArg,
  EXPOSE: parseExpose,
  USER: parseText,
  WORKDIR: parseText,
  STOPSIGNAL: parseText,
  MAINTAINER: parseText,
  VOLUME: parseVolume,
  CMD: parseCommand,
  ENTRYPOINT: parseCommand,
  HEALTHCHECK: parseHealthcheck,
  SHELL: parseShell,
  ONBUILD: parseOnbuild,
};

/** Commands beyond this are no Dockerfile that a person or a sane generator wrote. */
const maxInstructions = 20_000;

export interface Stage {
  readonly from: FromInstruction;
  readonly instructions: readonly StageInstruction[];
}

export interface Dockerfile {
  readonly directives: Directives;
  /** ARGs before the first FROM. */
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
  /** What the checks need and the tree does not keep: spelling of the keywords, empty continuations. */
  readonly spelling: readonly { readonly keyword: string; readonly line: number }[];
  readonly emptyContinuations: readonly number[];
}

/** Parses a whole Dockerfile. Throws DockerfileError with the place. */
export function parseDockerfile(text: string): Dockerfile {
  const { directives, lines, emptyContinuations } = lex(text);
  if (lines.length === 0) throw new DockerfileError('file with no instructions', { start: 1, end: 1 });
  if (lines.length > maxInstructions) {
    throw new DockerfileError(
      `too many instructions: ${lines.length}, the limit is ${maxInstructions}`,
      lines.at(-1)!.range,
    );
  }
  const globalArgs: ArgInstruction[] = [];
  const stages: { from: FromInstruction; instructions: StageInstruction[] }[] = [];
  for (const line of lines) {
    const instruction = located(line, directives.escape);
    if (instruction.kind === 'FROM') stages.push({ from: instruction, instructions: [] });
    else if (stages.length > 0) stages.at(-1)!.instructions.push(instruction);
    else if (instruction.kind === 'ARG') globalArgs.push(instruction);
    else throw new DockerfileError('no build stage in current context', line.range);
  }
  if (stages.length === 0) throw new DockerfileError('no build stage in current context', lines.at(-1)!.range);
  return {
    directives,
    globalArgs,
    stages,
    spelling: lines.map(line => ({ keyword: line.instruction, line: line.range.start })),
    emptyContinuations,
  };
}

/** Parses the trigger of an ONBUILD, or a change of `docker commit` and `docker import`. */
export function parseInstruction(text: string): StageInstruction {
  const { lines, directives } = lex(text);
  const [line] = lines;
  if (line === undefined || lines.length !== 1) throw new InvalidArgument(`not one instruction: "${text}"`);
  const instruction = parseLine(line, directives.escape);
  if (instruction.kind === 'FROM') throw new InvalidArgument(`FROM is not allowed here: "${text}"`);
  return instruction;
}

/** Faults of one instruction name its line; those of the text itself (a key without its value) do not, as with BuildKit. */
function located(line: LogicalLine, escapeCharacter: '\\' | '`'): Instruction {
  try {
    return parseLine(line, escapeCharacter);
  } catch (err) {
    if (!(err instanceof DockerfileError) || err.message.startsWith('Syntax error')) throw err;
    throw new DockerfileError(`dockerfile parse error on line ${line.range.start}: ${err.message}`, err.range);
  }
}

function parseLine(line: LogicalLine, escapeCharacter: '\\' | '`'): Instruction {
  const keyword = line.instruction.toUpperCase();
  const parse = Object.hasOwn(parsers, keyword) ? parsers[keyword] : undefined;
  if (parse === undefined) {
    const close = nearest(keyword, Object.keys(parsers));
    throw new DockerfileError(
      `unknown instruction: ${line.instruction}${close === undefined ? '' : ` (did you mean ${close}?)`}`,
      line.range,
    );
  }
  return parse({ ...line, keyword, escape: escapeCharacter });
}
