import type { ContainerInspect } from '../../api/index.ts';
import type { Cli } from '../cli.ts';
import { type Command, StatusError } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import type { Flags } from '../command/flags.ts';
import { segment } from '../http/engine.ts';
import { joinStreams } from '../terminal/attached-streams.ts';
import { defaultDetachKeys, parseDetachKeys } from '../terminal/detach-keys.ts';
import { followWindowSize } from '../terminal/resize.ts';
import { proxySignals } from '../terminal/signal-proxy.ts';
import { isatty } from '../terminal/window.ts';
import { awaitExit } from './wait-exit.ts';

export const start: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  description: 'Start one or more stopped containers',
  names: ['container start', 'start'],
  flags: [
    flag.bool('attach', 'a', 'Attach STDOUT/STDERR and forward signals'),
    flag.string('detach-keys', '', 'Override the key sequence for detaching a container'),
    flag.bool('interactive', 'i', "Attach container's STDIN"),
  ],
  arity: { kind: 'atLeast', count: 1 },
  completes: 'containers',
  run: async ({ cli, args, flags }) => {
    if (flags.bool('attach') || flags.bool('interactive')) {
      if (args.length > 1) throw new Error('you cannot start and attach multiple containers at once');
      return await startAttached(cli, args[0]!, flags);
    }
    const failed: string[] = [];
    for (const name of args) {
      try {
        await cli.engine.send('POST', `/containers/${segment(name)}/start`, { accept: [304] });
        cli.print(name);
      } catch (err) {
        cli.error((err as Error).message);
        failed.push(name);
      }
    }
    if (failed.length > 0) throw new StatusError(`Error: failed to start containers: ${failed.join(', ')}`, 1);
    return 0;
  },
};

/** As `run` does, from the attaching on. */
async function startAttached(cli: Cli, name: string, flags: Flags): Promise<number> {
  const { engine } = cli;
  const detachKeys = flags.string('detach-keys') || cli.config.detachKeys;
  const container = await engine.json<ContainerInspect>('GET', `/containers/${segment(name)}/json`);
  const { Tty: tty, OpenStdin: openStdin } = container.Config;
  const done = new AbortController();
  try {
    if (!tty) proxySignals(engine, container.Id, done.signal);
    const stdin = flags.bool('interactive') && openStdin;
    const hijacked = await engine.hijack(`/containers/${container.Id}/attach`, {
      query: { stream: true, stdin: stdin || undefined, stdout: true, stderr: true, detachKeys },
    });
    const streams = joinStreams(hijacked, {
      tty,
      stdin,
      stdout: true,
      stderr: true,
      detachKeys: parseDetachKeys(detachKeys || defaultDetachKeys),
    });
    streams.catch(() => {}); // awaited below
    const exit = await awaitExit(engine, container.Id, container.HostConfig.AutoRemove ? 'removed' : 'next-exit');
    await engine.send('POST', `/containers/${container.Id}/start`, { accept: [304] });
    if (tty && isatty(1)) followWindowSize(engine, `/containers/${container.Id}`, done.signal);
    if ((await streams) === 'detached') return 0;
    return await exit.status;
  } finally {
    done.abort();
  }
}
