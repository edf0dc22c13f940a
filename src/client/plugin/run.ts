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
export function runPlugin(
  path: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, words, {
      stdio: 'inherit',
      env: { ...process.env, ...environment, DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: process.argv[1] ?? programName },
    });
    process.on('SIGINT', () => {}); // the terminal sends it to the whole group
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

/**
 * `build` and `builder` are the buildx plugin's where BuildKit is used and the plugin is there, as in Docker's client.
 * Answers undefined where the command is our own.
 */
export async function runBuildxInstead(
  cli: Cli,
  words: readonly string[],
  args: readonly string[],
): Promise<number | undefined> {
  const isBuild = args[0] === 'build' || args[0] === 'builder' || (args[0] === 'image' && args[1] === 'build');
  if (!isBuild || args.includes('--help')) return undefined;
  const path = findPlugin(cli.config, 'buildx');
  if (path === undefined) return undefined;
  const { usesBuildx, buildxEnvironment } = await import('../builder/build.ts');
  if (!(await usesBuildx(cli))) return undefined;
  const globals = words.slice(0, words.length - args.length);
  const rest = args[0] === 'builder' ? args.slice(1) : ['build', ...args.slice(args[0] === 'image' ? 2 : 1)];
  cli.close();
  return await runPlugin(path, [...globals, 'buildx', ...rest], buildxEnvironment(cli));
}
