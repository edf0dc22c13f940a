import { FailedPrecondition } from '../../../errdefs/index.ts';
import { openCgroup } from '../../cgroups/cgroup.ts';
import type { Command } from '../context.ts';
import { Flags } from '../flags.ts';
import { containerId } from '../start-program.ts';
import { containerStatus } from '../state-store.ts';

export const pause: Command = {
  name: 'pause',
  usage: 'pause <container-id>',
  summary: 'pause suspends all processes inside the container',
  async run(words, { store }) {
    const container = store.read(containerId(new Flags(words, {}), 'pause'));
    const status = containerStatus(container);
    if (status !== 'running' && status !== 'created')
      throw new FailedPrecondition(`container not running or created: ${status}`);
    await openCgroup(container.state.cgroups).freeze();
    return 0;
  },
};

export const resume: Command = {
  name: 'resume',
  usage: 'resume <container-id>',
  summary: 'resumes all processes that have been previously paused',
  async run(words, { store }) {
    const container = store.read(containerId(new Flags(words, {}), 'resume'));
    if (containerStatus(container) !== 'paused') throw new FailedPrecondition('container not paused');
    await openCgroup(container.state.cgroups).thaw();
    return 0;
  },
};
