import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { FailedPrecondition } from '../../../errdefs/index.ts';
import type { Command } from '../context.ts';
import { Flags } from '../flags.ts';
import { runHooks } from '../hooks.ts';
import { containerId } from '../start-program.ts';
import { containerStatus } from '../state-store.ts';

export const start: Command = {
  name: 'start',
  usage: 'start <container-id>',
  summary: 'executes the user defined process in a created container',
  async run(words, { store, log }) {
    const id = containerId(new Flags(words, {}), 'start');
    const container = store.read(id);
    const status = containerStatus(container);
    if (status === 'stopped') throw new FailedPrecondition('cannot start a container that has stopped');
    if (status !== 'created') throw new FailedPrecondition('cannot start an already running container');
    const fifo = join(container.directory, 'exec.fifo');
    // The init holds it open for reading; when it has died meanwhile this fails (ENXIO) instead of waiting.
    const fd = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      writeSync(fd, '0');
    } finally {
      closeSync(fd);
    }
    unlinkSync(fifo);
    runHooks(
      container.spec,
      'poststart',
      { id, bundle: container.state.bundle, status: 'running', pid: container.state.pid },
      message => log.warn(message),
    );
    return 0;
  },
};
