// What the shells' completion scripts ask for: `berth __complete WORDS...`, the last word being the one to complete. The
// answer is cobra's: one candidate a line, a description after a tab, and at the end ":4" (no file names) or ":0".

import type { ContainerSummary, ImageSummary, NetworkInspect, VolumeListResponse } from '../../api/index.ts';
import type { Cli } from '../cli.ts';
import { type Command, isGroup } from '../command/command.ts';
import type { Flag } from '../command/flag.ts';
import { commands } from '../commands.ts';
import { listContexts } from '../config/context-store.ts';
import { globalFlags } from '../config/global-options.ts';
import { findPlugin, listPlugins } from '../plugin/find.ts';
import { runPlugin } from '../plugin/run.ts';

interface Candidates {
  readonly words: readonly (readonly [string, string])[];
  readonly files: boolean;
}

const none: Candidates = { words: [], files: false };
const files: Candidates = { words: [], files: true };

export async function complete(cli: Cli, words: readonly string[]): Promise<number> {
  const before = words.slice(0, -1);
  const current = words.at(-1) ?? '';
  const position = skipGlobalFlags(before);
  const name = before[position];
  const plugin = name === undefined || Object.hasOwn(commands, name) ? undefined : findPlugin(cli.config, name);
  if (plugin !== undefined) return await runPlugin(plugin, ['__complete', ...before, current]);
  const { words: candidates, files: wantsFiles } = await candidatesFor(cli, before.slice(position), current);
  for (const [word, description] of candidates) {
    if (word.startsWith(current)) cli.print(description === '' ? word : `${word}\t${description}`);
  }
  cli.print(wantsFiles ? ':0' : ':4');
  return 0;
}

/** Where the command's name stands. */
function skipGlobalFlags(words: readonly string[]): number {
  const flags = globalFlags();
  let at = 0;
  while (words[at]?.startsWith('-') === true) {
    const word = words[at++]!;
    const spec = flags.find(flag => word === `--${flag.name}` || word === `-${flag.short}`);
    if (spec !== undefined && spec.kind !== 'bool') at++;
  }
  return Math.min(at, words.length);
}

async function candidatesFor(cli: Cli, before: readonly string[], current: string): Promise<Candidates> {
  const [name, ...rest] = before;
  if (name === undefined) {
    if (current.startsWith('-')) return { words: flagWords(globalFlags()), files: false };
    const own = Object.entries(commands)
      .filter(([, node]) => node.hidden !== true)
      .map(([word, node]) => [word, node.description] as const);
    const plugins = (await listPlugins(cli.config)).map(plugin => [plugin.name, plugin.description] as const);
    return { words: [...own, ...plugins].sort(([a], [b]) => (a < b ? -1 : 1)), files: false };
  }
  const node = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (node === undefined) return none;
  if (!isGroup(node)) return await commandCandidates(cli, await node.load(), rest, current);
  const [sub, ...after] = rest;
  if (sub === undefined)
    return {
      words: Object.entries(node.children)
        .filter(([, child]) => child.hidden !== true)
        .map(([word, child]) => [word, child.description]),
      files: false,
    };
  const child = Object.entries(node.children).find(
    ([word, entry]) => word === sub || entry.aliases?.includes(sub),
  )?.[1];
  return child === undefined ? none : await commandCandidates(cli, await child.load(), after, current);
}

const flagWords = (flags: readonly Flag[]): (readonly [string, string])[] =>
  flags.filter(flag => flag.hidden !== true).map(flag => [`--${flag.name}`, flag.usage.split('\n')[0]!]);

async function commandCandidates(
  cli: Cli,
  command: Command,
  before: readonly string[],
  current: string,
): Promise<Candidates> {
  const args: string[] = [];
  let pending: Flag | undefined;
  for (const word of before) {
    if (pending !== undefined) pending = undefined;
    else if (word.startsWith('-') && word !== '-' && !(command.interspersed === false && args.length > 0)) {
      const spec = command.flags.find(
        flag =>
          word === `--${flag.name}` ||
          (flag.short !== undefined &&
            /^-[a-zA-Z]*$/.test(word) &&
            word.endsWith(flag.short) &&
            !word.startsWith('--')),
      );
      if (spec !== undefined && spec.kind !== 'bool') pending = spec;
    } else args.push(word);
  }
  if (pending !== undefined) return await flagValues(cli, pending);
  if (command.interspersed === false && args.length > 0)
    return command.completes === 'runningContainers' || command.completes === 'images' ? files : none;
  if (current.startsWith('-')) return { words: flagWords(command.flags), files: false };
  const most =
    command.arity.kind === 'exactly'
      ? command.arity.count
      : command.arity.kind === 'between'
        ? command.arity.most
        : command.arity.kind === 'atMost'
          ? command.arity.count
          : command.arity.kind === 'none'
            ? 0
            : Number.POSITIVE_INFINITY;
  if (args.length >= most) return none;
  if (command.completes === undefined) return command.arity.kind === 'none' ? none : files;
  const kind = command.completes === 'networks' && args.length === 1 && most === 2 ? 'containers' : command.completes;
  const found = await objects(cli, kind);
  return { words: found.filter(word => !args.includes(word)).map(word => [word, '']), files: false };
}

const fixedValues: Readonly<Record<string, readonly string[]>> = {
  restart: ['always', 'no', 'on-failure', 'unless-stopped'],
  pull: ['always', 'missing', 'never'],
  ipc: ['none', 'private', 'shareable', 'host', 'container:'],
  cgroupns: ['host', 'private'],
  'log-driver': ['json-file', 'local', 'none', 'syslog'],
  format: ['json', 'table'],
  signal: ['SIGHUP', 'SIGINT', 'SIGKILL', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'],
  'stop-signal': ['SIGHUP', 'SIGINT', 'SIGKILL', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'],
};

async function flagValues(cli: Cli, flag: Flag): Promise<Candidates> {
  if (flag.name === 'network') return { words: (await objects(cli, 'networks')).map(word => [word, '']), files: false };
  if (flag.name === 'volumes-from' || flag.name === 'link')
    return { words: (await objects(cli, 'containers')).map(word => [word, '']), files: false };
  const fixed = fixedValues[flag.name];
  if (fixed !== undefined) return { words: fixed.map(word => [word, '']), files: false };
  return /file|volume|input|output|mount/.test(flag.name) ? files : none;
}

/** Names of what there is; nothing where the daemon does not answer. */
async function objects(cli: Cli, kind: NonNullable<Command['completes']>): Promise<string[]> {
  try {
    switch (kind) {
      case 'containers':
      case 'runningContainers': {
        const list = await cli.engine.json<ContainerSummary[]>('GET', '/containers/json', {
          query: { all: kind === 'containers' || undefined },
        });
        return list
          .flatMap(container => container.Names.map(name => name.replace(/^\//, '')))
          .filter(name => !name.includes('/'));
      }
      case 'images':
        return (await cli.engine.json<ImageSummary[]>('GET', '/images/json')).flatMap(image => image.RepoTags ?? []);
      case 'networks':
        return (await cli.engine.json<NetworkInspect[]>('GET', '/networks')).map(network => network.Name);
      case 'volumes':
        return ((await cli.engine.json<VolumeListResponse>('GET', '/volumes')).Volumes ?? []).map(
          volume => volume.Name,
        );
      case 'contexts':
        return ['default', ...listContexts(cli.options.configDirectory).map(context => context.Name)];
    }
  } catch {
    return [];
  }
}
