import type { Cli } from '../cli.ts';
import { commands, sections } from '../commands.ts';
import { globalFlags } from '../config/global-options.ts';
import { listPlugins } from '../plugin/find.ts';
import { programName } from '../program.ts';
import { type CommandEntry, type CommandGroup, isGroup, StatusError } from './command.ts';
import { flagUsages } from './flag-usages.ts';
import { commandList, helpColumns } from './help.ts';

/** The program's own page. */
export async function rootHelp(cli: Cli): Promise<number> {
  const plugins = await listPlugins(cli.config);
  const entries: Record<string, CommandEntry | CommandGroup> = { ...commands };
  for (const plugin of plugins) {
    entries[`${plugin.name}*`] = { description: plugin.description, children: {} };
  }
  let page = `Usage:  ${programName} [OPTIONS] COMMAND\n\nA self-sufficient runtime for containers\n`;
  for (const [heading, names] of sections) {
    const withPlugins =
      heading === 'Management Commands' ? [...names, ...plugins.map(plugin => `${plugin.name}*`)].sort() : names;
    page += `\n${heading}:\n${commandList(entries, withPlugins)}`;
  }
  page += `\nGlobal Options:\n${flagUsages(globalFlags(), helpColumns())}`;
  page += `\nRun '${programName} COMMAND --help' for more information on a command.\n`;
  page += '\nFor more help on how to use Docker, head to https://docs.docker.com/go/guides/\n';
  cli.write(page);
  return 0;
}

type RunTree = (cli: Cli, path: string, node: CommandEntry | CommandGroup, words: readonly string[]) => Promise<number>;

/** `help COMMAND`. */
export async function helpOn(cli: Cli, words: readonly string[], run: RunTree): Promise<number> {
  const [first, second] = words;
  if (first === undefined) return await rootHelp(cli);
  const node = Object.hasOwn(commands, first) ? commands[first] : undefined;
  if (node === undefined) throw new StatusError(`unknown help topic: ${words.join(' ')}`, 1);
  return await run(cli, first, node, second !== undefined && isGroup(node) ? [second, '--help'] : ['--help']);
}
