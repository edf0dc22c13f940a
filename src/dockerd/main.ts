// berthd: the daemon's process.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe } from '../errdefs/index.ts';
import { type Invocation, readInvocation } from './config/config.ts';
import { options } from './config/options.ts';
import { createEngine, type Engine } from './engine.ts';
import { collectWhenIdle } from './idle-memory.ts';
import { createLog } from './log.ts';
import { engineVersion } from './system/facts.ts';

async function main(args: readonly string[]): Promise<void> {
  let invocation: Invocation;
  try {
    invocation = readInvocation(args);
  } catch (err) {
    process.stderr.write(`${describe(err)}\n`);
    process.exitCode = 1;
    return;
  }
  const { config } = invocation;
  if (invocation.help) {
    process.stdout.write(usage());
    return;
  }
  if (invocation.version) {
    process.stdout.write(`Docker version ${engineVersion}, build berth\n`);
    return;
  }
  if (invocation.validate) {
    process.stderr.write('configuration OK\n');
    return;
  }
  const log = createLog(config.logLevel);
  // The engine must outlive a terminal and a broken pipe of its log.
  process.on('SIGPIPE', () => {});
  process.on('SIGHUP', () => log.info('reloading the configuration while running is not supported'));
  process.on('unhandledRejection', err => log.error('unhandled rejection', { err }));
  process.on('uncaughtException', err => log.error('uncaught exception', { err }));
  let engine: Engine;
  try {
    if (config.pidfile !== undefined) writePidFile(config.pidfile);
    engine = await createEngine({ config, log });
  } catch (err) {
    log.error(`failed to start daemon: ${describe(err)}`, log.level === 'debug' ? { err } : {});
    process.exit(1);
  }
  log.info('Daemon has completed initialization');
  const memory = collectWhenIdle();
  let ending = false;
  const end = (signal: NodeJS.Signals): void => {
    if (ending) return;
    ending = true;
    memory[Symbol.dispose]();
    log.info(`Processing signal '${signal === 'SIGINT' ? 'interrupt' : 'terminated'}'`);
    void engine
      .close()
      .catch(err => log.error('could not end cleanly', { err }))
      .finally(() => {
        if (config.pidfile !== undefined) rmSync(config.pidfile, { force: true });
        log.info('Daemon shutdown complete');
        process.exit(0);
      });
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

/** A process that was killed and not reaped yet (Z, X) is none. */
function lives(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !'ZX'.includes(stat.charAt(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/** Refuses to start beside a daemon of the same pid file that lives. */
function writePidFile(file: string): void {
  if (existsSync(file)) {
    const pid = Number(readFileSync(file, 'utf8').trim());
    if (pid > 0 && pid !== process.pid && lives(pid)) {
      throw new Error(`process with PID ${pid} is still running`);
    }
  }
  writeFileSync(file, String(process.pid));
}

function usage(): string {
  let text = '\nUsage:  berthd [OPTIONS]\n\nA container engine that speaks the Docker Engine API.\n\nOptions:\n';
  const flags = options.filter(option => option.flag !== undefined);
  for (const { flag, short, kind, usage: words } of flags.sort((a, b) => (a.flag! < b.flag! ? -1 : 1))) {
    const name = `${short === undefined ? '    ' : `-${short}, `}--${flag}${kind === 'bool' ? '' : ` ${kind}`}`;
    text += `  ${name.padEnd(40)} ${words}\n`;
  }
  return text;
}

void main(process.argv.slice(2));
