// The command line's entry: global options, the command's name, its flags and arguments, and the exit status.

import { Cli } from './cli.ts';
import { arityProblem } from './command/arity.ts';
import { type Command, type CommandEntry, type CommandGroup, isGroup, StatusError } from './command/command.ts';
import { parseLine, UsageError } from './command/flags.ts';
import { commands } from './commands.ts';
import { globalFlags, readGlobalOptions } from './config/global-options.ts';
import { clientVersion, programName } from './program.ts';

/** Docker's status for a command line that cannot be read. */
const usageStatus = 125;

async function main(words: readonly string[]): Promise<number> {
  const { flags: globals, args, helpAsked } = parseGlobal(words);
  if (globals.bool('version')) {
    process.stdout.write(`${programName[0]!.toUpperCase()}${programName.slice(1)} version ${clientVersion}\n`);
    return 0;
  }
  const level = globals.string('log-level');
  if (level !== '' && !['trace', 'debug', 'info', 'warn', 'warning', 'error', 'fatal', 'panic'].includes(level)) {
    throw new StatusError(`Unable to parse logging level: ${level}`, 1);
  }
  const cli = new Cli(readGlobalOptions(globals));
  try {
    const [first, ...rest] = args;
    if (first === undefined) return await (await import('./command/root-help.ts')).rootHelp(cli);
    if (first === 'help') return await (await import('./command/root-help.ts')).helpOn(cli, rest, runTree);
    if (first === '__complete') return await (await import('./completion/complete.ts')).complete(cli, rest);
    if (first === 'build' || first === 'builder' || first === 'image') {
      const status = await (await import('./plugin/run.ts')).runBuildxInstead(cli, words, args);
      if (status !== undefined) return status;
    }
    const node = Object.hasOwn(commands, first) ? commands[first] : undefined;
    if (node === undefined) return await (await import('./plugin/run.ts')).runPluginOrRefuse(cli, first, words);
    return await runTree(cli, first, node, helpAsked ? [...rest, '--help'] : rest);
  } finally {
    cli.close();
  }
}

function parseGlobal(words: readonly string[]): ReturnType<typeof parseLine> {
  try {
    return parseLine(words, globalFlags(), false);
  } catch (err) {
    if (!(err instanceof UsageError)) throw err;
    throw new StatusError(
      `${err.message}\n\nUsage:  ${programName} [OPTIONS] COMMAND [ARG...]\n\nRun '${programName} --help' for more information`,
      usageStatus,
    );
  }
}

/** Runs a command or a group's command; `path` is how it was called, without the program's name. */
async function runTree(
  cli: Cli,
  path: string,
  node: CommandEntry | CommandGroup,
  words: readonly string[],
): Promise<number> {
  if (!isGroup(node)) return await runCommand(cli, path, await node.load(), words);
  const { groupHelp } = await import('./command/help.ts');
  const [word, ...rest] = words;
  const see = `Usage:  ${programName} ${path}\n\nRun '${programName} ${path} --help' for more information`;
  if (word === undefined || word === '--help' || word === '-h') {
    const page = groupHelp(path, node);
    if (word === undefined) process.stderr.write(page);
    else cli.write(page);
    return 0;
  }
  if (word.startsWith('-')) {
    const problem = word.startsWith('--')
      ? `unknown flag: ${word.split('=')[0]}`
      : `unknown shorthand flag: '${word[1]}' in ${word}`;
    throw new StatusError(`${problem}\n\n${see}`, usageStatus);
  }
  const child = findChild(node, word);
  if (child === undefined)
    throw new StatusError(`${programName}: unknown command: ${programName} ${path} ${word}\n\n${see}`, 1);
  return await runTree(cli, `${path} ${child[0]}`, child[1], rest);
}

function findChild(group: CommandGroup, word: string): readonly [string, CommandEntry] | undefined {
  return Object.entries(group.children).find(([name, entry]) => name === word || entry.aliases?.includes(word));
}

async function runCommand(cli: Cli, path: string, command: Command, words: readonly string[]): Promise<number> {
  const usage = async (): Promise<string> => `Usage:  ${(await import('./command/help.ts')).usageLine(command, path)}`;
  let parsed: ReturnType<typeof parseLine>;
  try {
    parsed = parseLine(words, command.flags, command.interspersed);
  } catch (err) {
    if (!(err instanceof UsageError)) throw err;
    throw new StatusError(
      `${err.message}\n\n${await usage()}\n\nRun '${programName} ${path} --help' for more information`,
      usageStatus,
    );
  }
  const { flags, args, helpAsked } = parsed;
  if (helpAsked) {
    if (words.some(word => /^-[a-zA-Z]*h/.test(word))) cli.error('Flag shorthand -h has been deprecated, use --help');
    const { commandHelp, helpColumns } = await import('./command/help.ts');
    cli.write(commandHelp(command, path, helpColumns()));
    return 0;
  }
  const problem = arityProblem(command.arity, args.length);
  if (problem !== undefined) {
    throw new StatusError(
      `${programName}: '${programName} ${path}' ${problem.problem}\n\n${await usage()}\n\n${problem.hint} '${programName} ${path} --help' for more information`,
      1,
    );
  }
  return (await command.run({ cli, args, flags, path: `${programName} ${path}` })) ?? 0;
}

/** Prints what went wrong, and says the exit status. */
function report(err: unknown): number {
  if (err instanceof StatusError) {
    if (err.message !== '') process.stderr.write(`${err.message}\n`);
    return err.exitCode;
  }
  const debug = process.env.BERTH_TRACE !== undefined && err instanceof Error;
  process.stderr.write(`${debug ? err.stack : err instanceof Error ? err.message : String(err)}\n`);
  return 1;
}

main(process.argv.slice(2)).then(
  status => process.exit(status),
  err => process.exit(report(err)),
);
