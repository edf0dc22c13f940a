// berth-runc: the OCI runtime's command line, runc's own in words and behaviour.

import { writeSync } from 'node:fs';
import { geteuid } from 'node:process';
import { NotImplemented } from '../errdefs/index.ts';
import { create } from './cli/commands/create.ts';
import { deleteCommand } from './cli/commands/delete.ts';
import { events } from './cli/commands/events.ts';
import { exec } from './cli/commands/exec.ts';
import { explain } from './cli/commands/explain.ts';
import { features } from './cli/commands/features.ts';
import { kill } from './cli/commands/kill.ts';
import { list } from './cli/commands/list.ts';
import { pause, resume } from './cli/commands/pause.ts';
import { ps } from './cli/commands/ps.ts';
import { run } from './cli/commands/run.ts';
import { spec } from './cli/commands/spec.ts';
import { start } from './cli/commands/start.ts';
import { state } from './cli/commands/state.ts';
import { update } from './cli/commands/update.ts';
import type { Command } from './cli/context.ts';
import { Flags } from './cli/flags.ts';
import { Log } from './cli/log.ts';
import { StateStore } from './cli/state-store.ts';

const commands: readonly Command[] = [
  create,
  deleteCommand,
  events,
  exec,
  explain,
  features,
  kill,
  list,
  pause,
  ps,
  resume,
  run,
  spec,
  start,
  state,
  update,
];

const version = '0.1.0';

function help(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    'NAME:\n   berth-runc - Open Container Initiative runtime\n',
    'USAGE:\n   berth-runc [global options] command [command options] [arguments...]\n',
    'COMMANDS:',
    ...commands.map(({ name, summary }) => `   ${name.padEnd(width)}  ${summary}`),
    '',
    'GLOBAL OPTIONS:',
    '   --debug             enable debug logging',
    "   --log value         set the log file to write runc logs to (default is '/dev/stderr')",
    "   --log-format value  set the log format ('text' (default), or 'json')",
    '   --root value        root directory for storage of container state (default: "/run/berth-runc")',
    "   --rootless value    ignore cgroup permission errors ('true', 'false', or 'auto') (default: \"auto\")",
    '   --systemd-cgroup    refused: cgroups are managed without systemd',
    '   --help, -h          show help',
    '   --version, -v       print the version',
    '',
  ].join('\n');
}

/** Where state goes by default: a rootless user's own runtime directory. */
function defaultRoot(): string {
  const own = process.env.XDG_RUNTIME_DIR;
  return geteuid?.() !== 0 && own ? `${own}/berth-runc` : '/run/berth-runc';
}

async function main(words: readonly string[]): Promise<number> {
  let log = new Log(undefined, 'text', false);
  try {
    const flags = new Flags(words, {
      debug: 'boolean',
      log: 'string',
      'log-format': 'string',
      root: 'string',
      criu: 'string',
      'systemd-cgroup': 'boolean',
      rootless: 'string',
      help: 'boolean',
      h: { alias: 'help' },
      version: 'boolean',
      v: { alias: 'version' },
    });
    log = new Log(flags.string('log'), flags.string('log-format') ?? 'text', flags.has('debug'));
    // Synchronous, and without loading Node's streams.
    const stdout = (text: string) => void writeSync(1, text);
    if (flags.has('version')) {
      stdout(`berth-runc version ${version}\nspec: 1.3.0\n`);
      return 0;
    }
    const [name, ...rest] = flags.rest;
    if (name === undefined || name === 'help' || flags.has('help')) {
      stdout(help());
      return 0;
    }
    const command = commands.find(candidate => candidate.name === name);
    if (command === undefined) {
      if (name === 'checkpoint' || name === 'restore') throw new NotImplemented(`${name} is not supported`);
      throw new NotImplemented(`No help topic for '${name}'`);
    }
    if (rest[0] === '--help' || rest[0] === '-h') {
      stdout(`NAME:\n   berth-runc ${command.name} - ${command.summary}\n\nUSAGE:\n   berth-runc ${command.usage}\n`);
      return 0;
    }
    if (flags.has('systemd-cgroup')) {
      throw new NotImplemented('systemd cgroup flag passed, but systemd support for managing cgroups is not available');
    }
    return await command.run(rest, { store: new StateStore(flags.string('root') ?? defaultRoot()), log, stdout });
  } catch (error) {
    log.error(error instanceof Error ? error.message : String(error));
    if (process.env.BERTH_TRACE) process.stderr.write(`${error instanceof Error ? error.stack : ''}\n`);
    return 1;
  }
}

// Everything is written, and nothing waits: ending at once saves the taking down of a heap that dies anyway.
void main(process.argv.slice(2)).then(code => process.exit(code));
