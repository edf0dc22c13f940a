// dockerd's command line: long flags with `=` or a following value, short ones, booleans with an optional `=false`.

import { InvalidArgument } from '../../errdefs/index.ts';
import { type OptionSpec, optionOfFlag, optionOfShort } from './options.ts';

export type OptionValue = string | number | boolean | string[] | Record<string, string>;

/** What was said, by option. */
export type OptionValues = Map<OptionSpec, OptionValue>;

/** Reads the arguments after the program's name. */
export function parseFlags(args: readonly string[]): OptionValues {
  const values: OptionValues = new Map();
  const queue = [...args];
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    if (arg === '--' || !arg.startsWith('-') || arg === '-') {
      const word = arg === '--' ? queue.shift() : arg;
      if (word === undefined) break;
      throw new InvalidArgument(`unknown command: dockerd ${word}`);
    }
    if (arg.startsWith('--')) {
      const at = arg.indexOf('=');
      const name = at < 0 ? arg.slice(2) : arg.slice(2, at);
      const option = optionOfFlag(name);
      if (option === undefined) throw new InvalidArgument(`unknown flag: --${name}`);
      take(option, at < 0 ? undefined : arg.slice(at + 1), `--${name}`);
    } else {
      const option = optionOfShort(arg[1]!);
      if (option === undefined) throw new InvalidArgument(`unknown shorthand flag: '${arg[1]}' in ${arg}`);
      const rest = arg.slice(2).replace(/^=/, '');
      if (option.kind === 'bool' && rest !== '' && !arg.includes('=')) {
        take(option, undefined, `-${arg[1]}`);
        queue.unshift(`-${rest}`);
      } else take(option, rest === '' ? undefined : rest, `-${arg[1]}`);
    }
  }
  return values;

  function take(option: OptionSpec, inline: string | undefined, said: string): void {
    if (option.kind === 'bool') {
      values.set(option, parseBool(inline ?? 'true', said));
      return;
    }
    const text = inline ?? queue.shift();
    if (text === undefined) throw new InvalidArgument(`flag needs an argument: ${said}`);
    const before = values.get(option);
    switch (option.kind) {
      case 'list':
        values.set(option, [...(Array.isArray(before) ? before : []), text]);
        return;
      case 'map': {
        const at = text.indexOf('=');
        if (at <= 0) throw new InvalidArgument(`invalid argument "${text}" for "${said}" flag: want key=value`);
        values.set(option, {
          ...((before as Record<string, string> | undefined) ?? {}),
          [text.slice(0, at)]: text.slice(at + 1),
        });
        return;
      }
      case 'int':
        if (!/^-?\d+$/.test(text))
          throw new InvalidArgument(`invalid argument "${text}" for "${said}" flag: want a number`);
        values.set(option, Number(text));
        return;
      default:
        values.set(option, text);
    }
  }
}

function parseBool(text: string, said: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new InvalidArgument(`invalid argument "${text}" for "${said}" flag: want true or false`);
}
