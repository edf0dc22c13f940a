// The checks that need no more than the parse tree. Those that depend on values (UndefinedVar, WorkdirRelativePath,
// CopyIgnoredFile) are made where the values are: in the conversion.

import type { StageInstruction } from '../dockerfile/instruction.ts';
import type { Dockerfile, Stage } from '../dockerfile/parse.ts';
import type { Range } from '../dockerfile/source.ts';
import { expand } from '../dockerfile/words.ts';
import type { Warning } from '../graph/context.ts';

const platformArgs = ['', 'OS', 'ARCH', 'VARIANT'].flatMap(suffix => [
  `BUILD${suffix === '' ? 'PLATFORM' : suffix}`,
  `TARGET${suffix === '' ? 'PLATFORM' : suffix}`,
]);
/** Names of variables that are likely to hold what must not become part of an image. */
const secretName = /(?:^|_)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i;
const publicName = /(?:^|_)public(?:_|$)/i;

/** Warnings about the file as a whole, in the order of BuildKit. */
export function lintFile(dockerfile: Dockerfile): Warning[] {
  const found: Warning[] = [];
  const warn = (rule: string, message: string, range: Range): void => void found.push({ rule, message, range });
  for (const line of dockerfile.emptyContinuations)
    warn('NoEmptyContinuation', 'Empty continuation line', { start: line, end: line });
  for (const stage of dockerfile.stages) {
    const { original, range } = stage.from;
    const as = original.match(/\s(as)\s+(\S+)$/i);
    if (as !== null) {
      const [, word, name] = as as unknown as [string, string, string];
      const from = dockerfile.spelling.find(({ line }) => line === range.start)?.keyword ?? 'FROM';
      if (name !== name.toLowerCase()) warn('StageNameCasing', `Stage name '${name}' should be lowercase`, range);
      if (isUpper(from) !== isUpper(word))
        warn('FromAsCasing', `'${word}' and '${from}' keywords' casing do not match`, range);
    }
    for (const { kind, range: where } of stage.instructions) {
      if (kind === 'MAINTAINER')
        warn('MaintainerDeprecated', 'Maintainer instruction is deprecated in favor of using label', where);
    }
  }
  lintNames(dockerfile, warn);
  lintCasing(dockerfile, warn);
  for (const stage of dockerfile.stages) lintFrom(dockerfile, stage, warn);
  return found;
}

type Warn = (rule: string, message: string, range: Range) => void;

const isUpper = (word: string): boolean => word === word.toUpperCase();

function lintNames(dockerfile: Dockerfile, warn: Warn): void {
  const seen = new Set<string>();
  for (const { from } of dockerfile.stages) {
    if (from.name === undefined) continue;
    if (seen.has(from.name))
      warn('DuplicateStageName', `Duplicate stage name "${from.name}", stage names should be unique`, from.range);
    seen.add(from.name);
  }
  for (const { from } of dockerfile.stages) {
    if (from.name === 'scratch' || from.name === 'context') {
      warn('ReservedStageName', `Stage name should not use the same name as reserved stage "${from.name}"`, from.range);
    }
  }
}

function lintCasing({ spelling }: Dockerfile, warn: Warn): void {
  const upper = spelling.filter(({ keyword }) => isUpper(keyword)).length;
  const lower = spelling.filter(({ keyword }) => keyword === keyword.toLowerCase()).length;
  const majority = upper >= lower ? 'uppercase' : 'lowercase';
  for (const { keyword, line } of spelling) {
    const fits = majority === 'uppercase' ? isUpper(keyword) : keyword === keyword.toLowerCase();
    if (fits) continue;
    warn(
      'ConsistentInstructionCasing',
      `Command '${keyword}' should match the case of the command majority (${majority})`,
      { start: line, end: line },
    );
  }
}

function lintFrom(dockerfile: Dockerfile, { from }: Stage, warn: Warn): void {
  const values = new Map<string, string | undefined>(platformArgs.map(name => [name, name]));
  for (const { args } of dockerfile.globalArgs) for (const { key, value } of args) values.set(key, value);
  const unset: string[] = [];
  const expanded = quietly(() =>
    expand(from.image, name => values.get(name), {
      escape: dockerfile.directives.escape,
      onUnset: name => unset.push(name),
    }),
  );
  if (expanded !== undefined && from.image.includes('$') && (expanded === '' || /[:@]$/.test(expanded))) {
    warn(
      'InvalidDefaultArgInFrom',
      `Default value for ARG ${from.image} results in empty or invalid base image name`,
      from.range,
    );
  }
  for (const name of unset) {
    if (!values.has(name)) warn('UndefinedArgInFrom', `FROM argument '${name}' is not declared`, from.range);
  }
  if (from.platform === undefined) return;
  if (/^\$\{?TARGETPLATFORM\}?$/.test(from.platform)) {
    const text = 'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior';
    warn('RedundantTargetPlatform', text.replace('$TARGETPLATFORM', from.platform), from.range);
  } else if (!from.platform.includes('$')) {
    // A stage named after its platform is meant for it.
    const [os = '', arch = ''] = from.platform.split('/');
    if (from.name !== undefined && (from.name.includes(arch || os) || from.name.includes(os))) return;
    warn(
      'FromPlatformFlagConstDisallowed',
      `FROM --platform flag should not use constant value "${from.platform}"`,
      from.range,
    );
  }
}

function quietly<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined; // the conversion says what is wrong
  }
}

/** Warnings about the instructions of one stage. */
export function lintStage(stage: Stage): Warning[] {
  const found: Warning[] = [];
  const warn: Warn = (rule, message, range) => void found.push({ rule, message, range });
  const hasShell = stage.instructions.some(({ kind }) => kind === 'SHELL');
  for (const [i, instruction] of stage.instructions.entries()) {
    lintInstruction(instruction, hasShell, warn);
    const { kind } = instruction;
    const single = kind === 'CMD' || kind === 'ENTRYPOINT' || kind === 'HEALTHCHECK';
    if (single && stage.instructions.slice(i + 1).some(later => later.kind === kind)) {
      warn(
        'MultipleInstructionsDisallowed',
        `Multiple ${kind} instructions should not be used in the same stage because only the last one will be used`,
        instruction.range,
      );
    }
  }
  return found;
}

function lintInstruction(instruction: StageInstruction, hasShell: boolean, warn: Warn): void {
  const { kind, range } = instruction;
  switch (kind) {
    case 'ENV':
    case 'LABEL':
      if (instruction.legacy) {
        warn(
          'LegacyKeyValueFormat',
          `"${kind} key=value" should be used instead of legacy "${kind} key value" format`,
          range,
        );
      }
      if (kind === 'ENV') for (const { key } of instruction.pairs) lintSecret('ENV', key, range, warn);
      return;
    case 'ARG':
      for (const { key } of instruction.args) lintSecret('ARG', key, range, warn);
      return;
    case 'CMD':
    case 'ENTRYPOINT':
      if (instruction.command.form === 'shell' && !hasShell) {
        warn(
          'JSONArgsRecommended',
          `JSON arguments recommended for ${kind} to prevent unintended behavior related to OS signals`,
          range,
        );
      }
      return;
    case 'EXPOSE':
      for (const port of instruction.ports.flatMap(text => text.split(/\s+/))) {
        if (port.includes(':') && !port.includes('$')) {
          const text = 'EXPOSE instruction should not define an IP address or host-port mapping';
          warn('ExposeInvalidFormat', `${text}, found '${port}'`, range);
        } else if (/\/.*[A-Z]/.test(port) && !port.includes('$'))
          warn('ExposeProtoCasing', `Defined protocol '${port}' in EXPOSE instruction should be lowercase`, range);
      }
      return;
    default:
  }
}

function lintSecret(kind: string, key: string, range: Range, warn: Warn): void {
  if (!secretName.test(key) || publicName.test(key)) return;
  warn('SecretsUsedInArgOrEnv', `Do not use ARG or ENV instructions for sensitive data (${kind} "${key}")`, range);
}
