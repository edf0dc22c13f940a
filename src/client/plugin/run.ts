import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Cli } from '../cli.ts';
import { StatusError } from '../command/command.ts';
import { programName } from '../program.ts';
import { findPlugin } from './find.ts';

/** A word that is no command of ours may be a plugin's. The plugin gets the whole command line, and the terminal. */
export async function runPluginOrRefuse(cli: Cli, name: string, words: readonly string[]): Promise<number> {
  const path = findPlugin(cli.config, name);
  if (path === undefined) {
    throw new StatusError(
      `${programName}: unknown command: ${programName} ${name}\n\nRun '${programName} --help' for more information`,
      1,
    );
  }
  return await runPlugin(path, words);
}

/** Runs it to its end and takes its exit status. Signals of the terminal reach it by themselves; others we pass on. */
export function runPlugin(path: string, words: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, words, {
      stdio: 'inherit',
      env: { ...process.env, DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: process.argv[1] ?? programName },
    });
    process.on('SIGINT', () => {}); // the terminal sends it to the whole group
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
