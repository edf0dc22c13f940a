import type { ContainerInspect } from '../../api/index.ts';
import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { segment } from '../http/engine.ts';
import { joinStreams } from '../terminal/attached-streams.ts';
import { defaultDetachKeys, parseDetachKeys } from '../terminal/detach-keys.ts';
import { followWindowSize } from '../terminal/resize.ts';
import { proxySignals } from '../terminal/signal-proxy.ts';
import { isatty } from '../terminal/window.ts';
import { awaitExit } from './wait-exit.ts';

export const attach: Command = {
  usage: '[OPTIONS] CONTAINER',
  description: 'Attach local standard input, output, and error streams to a running container',
  names: ['container attach', 'attach'],
  flags: [
    flag.string('detach-keys', '', 'Override the key sequence for detaching a container'),
    flag.bool('no-stdin', '', 'Do not attach STDIN'),
    flag.bool('sig-proxy', '', 'Proxy all received signals to the process', { shownDefault: 'true', initial: true }),
  ],
  arity: { kind: 'exactly', count: 1 },
  completes: 'runningContainers',
  run: async ({ cli, args, flags }) => {
    const { engine } = cli;
    const detachKeys = flags.string('detach-keys') || cli.config.detachKeys;
    const keys = parseDetachKeys(detachKeys || defaultDetachKeys);
    const container = await engine.json<ContainerInspect>('GET', `/containers/${segment(args[0]!)}/json`);
    if (!container.State.Running) throw new Error('cannot attach to a stopped container, start it first');
    if (container.State.Paused) throw new Error('cannot attach to a paused container, unpause it first');
    if (container.State.Restarting)
      throw new Error('cannot attach to a restarting container, wait until it is running');
    const { Tty: tty, OpenStdin: openStdin } = container.Config;
    const stdin = openStdin && !flags.bool('no-stdin');
    if (stdin && tty && !isatty(0)) throw new Error('the input device is not a TTY');
    const done = new AbortController();
    try {
      if (flags.bool('sig-proxy') && !tty) proxySignals(engine, container.Id, done.signal);
      const exit = await awaitExit(engine, container.Id, 'not-running');
      const hijacked = await engine.hijack(`/containers/${container.Id}/attach`, {
        query: { stream: true, stdin: stdin || undefined, stdout: true, stderr: true, detachKeys },
      });
      if (tty && isatty(1)) followWindowSize(engine, `/containers/${container.Id}`, done.signal, { redraw: true });
      const outcome = await joinStreams(hijacked, { tty, stdin, stdout: true, stderr: true, detachKeys: keys });
      if (outcome === 'detached') {
        cli.error('read escape sequence');
        return 1;
      }
      return await exit.status;
    } finally {
      done.abort();
    }
  },
};
