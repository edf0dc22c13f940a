import type { ExecCreateResponse, ExecInspect } from '../../api/index.ts';
import { type Command, StatusError } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { segment } from '../http/engine.ts';
import { joinStreams } from '../terminal/attached-streams.ts';
import { defaultDetachKeys, parseDetachKeys } from '../terminal/detach-keys.ts';
import { followWindowSize } from '../terminal/resize.ts';
import { isatty, windowSize } from '../terminal/window.ts';
import { readEnvironment } from './key-values.ts';

export const exec: Command = {
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  description: 'Execute a command in a running container',
  names: ['container exec', 'exec'],
  flags: [
    flag.bool('detach', 'd', 'Detached mode: run command in the background'),
    flag.string('detach-keys', '', 'Override the key sequence for detaching a container'),
    flag.list('env', 'e', 'Set environment variables'),
    flag.list('env-file', '', 'Read in a file of environment variables'),
    flag.bool('interactive', 'i', 'Keep STDIN open even if not attached'),
    flag.bool('privileged', '', 'Give extended privileges to the command'),
    flag.bool('tty', 't', 'Allocate a pseudo-TTY'),
    flag.string('user', 'u', 'Username or UID (format: "<name|uid>[:<group|gid>]")'),
    flag.string('workdir', 'w', 'Working directory inside the container'),
  ],
  arity: { kind: 'atLeast', count: 2 },
  interspersed: false,
  completes: 'runningContainers',
  run: async ({ cli, args, flags }) => {
    const { engine } = cli;
    const [name = '', ...command] = args;
    const detach = flags.bool('detach');
    const tty = flags.bool('tty');
    const stdin = flags.bool('interactive') && !detach;
    const detachKeys = flags.string('detach-keys') || cli.config.detachKeys;
    const size = windowSize(1);
    const consoleSize = tty && size !== undefined ? { ConsoleSize: [size.rows, size.columns] } : {};
    // Docker looks at the container first, for its words about one that is not there.
    await engine.json('GET', `/containers/${segment(name)}/json`);
    if (!detach && stdin && tty && !isatty(0)) throw new Error('the input device is not a TTY');
    const env = readEnvironment(flags.list('env-file'), flags.list('env'));
    const { Id: id } = await engine.json<ExecCreateResponse>('POST', `/containers/${segment(name)}/exec`, {
      json: {
        User: flags.string('user'),
        Privileged: flags.bool('privileged'),
        Tty: tty,
        ...consoleSize,
        AttachStdin: stdin,
        AttachStderr: !detach,
        AttachStdout: !detach,
        DetachKeys: detachKeys ?? '',
        Env: env.length === 0 ? null : env,
        WorkingDir: flags.string('workdir'),
        Cmd: command,
      },
    });
    const start = { Detach: detach, Tty: tty, ...consoleSize };
    if (detach) {
      await engine.send('POST', `/exec/${id}/start`, { json: start });
      return 0;
    }
    const done = new AbortController();
    try {
      const hijacked = await engine.hijack(`/exec/${id}/start`, { json: start });
      if (tty && isatty(0)) followWindowSize(engine, `/exec/${id}`, done.signal);
      const outcome = await joinStreams(hijacked, {
        tty,
        stdin,
        stdout: true,
        stderr: true,
        detachKeys: parseDetachKeys(detachKeys || defaultDetachKeys),
      });
      if (outcome === 'detached') {
        cli.error('read escape sequence');
        return 1;
      }
    } finally {
      done.abort();
    }
    const { ExitCode: status, Running: running } = await engine.json<ExecInspect>('GET', `/exec/${id}/json`);
    if (running || status === null) throw new StatusError('', 0);
    return status;
  },
};
