import type { Command, Invocation } from '../command/command.ts';
import { StatusError } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { programName } from '../program.ts';
import { type AttachOutcome, joinStreams } from '../terminal/attached-streams.ts';
import { defaultDetachKeys, parseDetachKeys } from '../terminal/detach-keys.ts';
import { followWindowSize } from '../terminal/resize.ts';
import { proxySignals } from '../terminal/signal-proxy.ts';
import { isatty, windowSize } from '../terminal/window.ts';
import { createContainer } from './create-container.ts';
import { createFlags } from './create-flags.ts';
import { type CreateRequest, readCreateRequest } from './create-request.ts';
import { runFailure, startFailureStatus, withRunHint } from './run-error.ts';
import { awaitExit } from './wait-exit.ts';

export const run: Command = {
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  description: 'Create and run a new container from an image',
  names: ['container run', 'run'],
  flags: [
    ...createFlags.map(spec =>
      spec.name === 'pull' ? { ...spec, usage: 'Pull image before running ("always", "missing", "never")' } : spec,
    ),
    flag.bool('detach', 'd', 'Run container in background and print container ID'),
    flag.string('detach-keys', '', 'Override the key sequence for detaching a container'),
    flag.bool('sig-proxy', '', 'Proxy received signals to the process', { shownDefault: 'true', initial: true }),
    // Ours alone: not on the page of a program that goes by Docker's name.
    flag.bool('explain', '', 'Print the steps that would make the container, and run nothing', {
      hidden: programName !== 'berth',
    }),
  ],
  arity: { kind: 'atLeast', count: 1 },
  interspersed: false,
  completes: 'images',
  run: async invocation => {
    const { flags, args, path } = invocation;
    const request = await withRunHint(path, async () => readCreateRequest(flags, args));
    if (flags.bool('explain')) return await runContainer(invocation, request);
    const adjusted = flags.bool('detach') ? detached(request, flags.list('attach').length > 0) : attachable(request);
    return await runContainer(invocation, adjusted);
  },
};

/** 1. create  2. attach  3. ask for the exit  4. start  5. copy streams until they end  6. exit as it did */
async function runContainer({ cli, flags, path }: Invocation, request: CreateRequest): Promise<number> {
  const { engine } = cli;
  const keys = await withRunHint(path, async () =>
    parseDetachKeys(flags.string('detach-keys') || cli.config.detachKeys || defaultDetachKeys),
  );
  const size = windowSize(1);
  if (size !== undefined) request.hostConfig.ConsoleSize = [size.rows, size.columns];

  // 1.
  const id = await withRunHint(path, () =>
    createContainer(cli, request, {
      name: flags.string('name'),
      platform: flags.string('platform') || (process.env.DOCKER_DEFAULT_PLATFORM ?? ''),
      pull: flags.string('pull'),
      quiet: flags.bool('quiet'),
      cidFile: flags.string('cidfile'),
    }),
  );
  if (flags.bool('explain')) return await explain({ cli, path }, id);

  const { AttachStdin: stdin, AttachStdout: stdout, AttachStderr: stderr, Tty: tty } = request.config;
  const attached = stdin === true || stdout === true || stderr === true;
  const done = new AbortController();
  try {
    if (!tty && flags.bool('sig-proxy') && !flags.bool('detach')) proxySignals(engine, id, done.signal);
    // 2.
    let streams: Promise<AttachOutcome> | undefined;
    if (attached) {
      const hijacked = await withRunHint(path, () =>
        engine.hijack(`/containers/${id}/attach`, {
          query: {
            stream: true,
            stdin: stdin === true || undefined,
            stdout: stdout === true || undefined,
            stderr: stderr === true || undefined,
            detachKeys: flags.string('detach-keys') || cli.config.detachKeys,
          },
        }),
      );
      streams = joinStreams(hijacked, {
        tty,
        stdin: stdin === true,
        stdout: stdout === true,
        stderr: stderr === true,
        detachKeys: keys,
      });
      streams.catch(() => {}); // looked at below, perhaps later
    }
    // 3.
    const autoRemove = request.hostConfig.AutoRemove;
    const exit =
      attached || !flags.bool('detach') ? await awaitExit(engine, id, autoRemove ? 'removed' : 'next-exit') : undefined;
    // 4.
    try {
      await engine.send('POST', `/containers/${id}/start`);
    } catch (err) {
      // The daemon ends the attachment of a container that did not start, and with --rm removes it.
      if (streams !== undefined) await Promise.race([streams.catch(() => {}), timeout(1000)]);
      if (autoRemove) await Promise.race([exit?.status, timeout(5000)]);
      throw runFailure(path, err, startFailureStatus((err as Error).message));
    }
    if (flags.bool('detach')) {
      cli.print(id);
      return 0;
    }
    if (tty && isatty(1)) followWindowSize(engine, `/containers/${id}`, done.signal);
    // 5.
    if ((await streams) === 'detached') return 0;
    // 6.
    return (await exit?.status) ?? 0;
  } finally {
    done.abort();
  }
}

const timeout = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms).unref());

function attachable(request: CreateRequest): CreateRequest {
  if (request.config.AttachStdin === true && request.config.Tty && !isatty(0)) {
    throw new Error('the input device is not a TTY');
  }
  return request;
}

function detached(request: CreateRequest, attachAsked: boolean): CreateRequest {
  if (attachAsked) throw new Error('conflicting options: cannot specify both --attach and --detach');
  return {
    ...request,
    config: { ...request.config, AttachStdin: false, AttachStdout: false, AttachStderr: false, StdinOnce: false },
  };
}

/** Our extension: the program that the runtime would execute, step by step. The container is not started, and removed again. */
async function explain({ cli, path }: Pick<Invocation, 'cli' | 'path'>, id: string): Promise<number> {
  try {
    const response = await cli.engine.request('GET', `/containers/${id}/explain`);
    cli.write(await response.text());
    return 0;
  } catch (err) {
    const message = (err as Error).message;
    if (message.includes('page not found'))
      throw new StatusError(`${path}: --explain needs a berth daemon; this one is another`, 125);
    throw runFailure(path, err, 125);
  } finally {
    await cli.engine.send('DELETE', `/containers/${id}`, { query: { v: true } });
  }
}
