// Help pages, laid out as Docker's are.

import { programName } from '../program.ts';
import { windowSize } from '../terminal/window.ts';
import type { Command, CommandEntry, CommandGroup } from './command.ts';
import type { Flag } from './flag.ts';
import { flagUsages } from './flag-usages.ts';

const helpFlag: Flag = { name: 'help', kind: 'bool', typeName: '', usage: 'Print usage', hidden: true };

/** The page of one command; `path` is how it was called, without the program's name. */
export function commandHelp(command: Command, path: string, columns: number): string {
  let page = `Usage:  ${usageLine(command, path)}\n\n${command.description}\n`;
  if (command.names !== undefined && command.names.length > 1) {
    page += `\nAliases:\n  ${command.names.map(name => `${programName} ${name}`).join(', ')}\n`;
  }
  // `-h` is taken where a command has it as another flag; Docker then shows --help.
  const flags = command.flags.some(spec => spec.short === 'h')
    ? [...command.flags, { ...helpFlag, hidden: false }]
    : command.flags;
  if (flags.some(spec => spec.hidden !== true)) page += `\nOptions:\n${flagUsages(flags, columns)}`;
  return page;
}

/** The full usage line, under the name by which the command was called. */
export function usageLine(command: Command, path: string): string {
  return command.usage === '' ? `${programName} ${path}` : `${programName} ${path} ${command.usage}`;
}

/** Name and description of each visible one, aligned. */
export function commandList(
  entries: Readonly<Record<string, CommandEntry | CommandGroup>>,
  names?: readonly string[],
  width = 11,
): string {
  const shown = (names ?? Object.keys(entries)).filter(
    name => entries[name] !== undefined && entries[name].hidden !== true,
  );
  const padding = Math.max(width, ...shown.map(name => name.length));
  return shown.map(name => `  ${name.padEnd(padding)} ${entries[name]!.description.split('\n')[0]}\n`).join('');
}

export function groupHelp(name: string, group: CommandGroup): string {
  return (
    `Usage:  ${programName} ${name} COMMAND\n\n${group.description}\n\nCommands:\n` +
    `${commandList(group.children)}\nRun '${programName} ${name} COMMAND --help' for more information on a command.\n`
  );
}

/** Where help pages wrap: the terminal's width, of 80 where there is none. */
export const helpColumns = (): number => (windowSize(0)?.columns ?? 80) - 1;
