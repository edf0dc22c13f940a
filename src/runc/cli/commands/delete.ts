import { setTimeout as delay } from 'node:timers/promises';
import { FailedPrecondition, isNotFound } from '../../../errdefs/index.ts';
import { openCgroup } from '../../cgroups/cgroup.ts';
import type { Command, Context } from '../context.ts';
import { Flags } from '../flags.ts';
import { runHooks } from '../hooks.ts';
import { containerId } from '../start-program.ts';
import { containerStatus, type StoredContainer } from '../state-store.ts';

const patienceMs = 10_000;

export const deleteCommand: Command = {
  name: 'delete',
  usage: 'delete [command options] <container-id>',
  summary: 'delete any resources held by the container often used with detached container',
  async run(words, context) {
    const flags = new Flags(words, { force: 'boolean', f: { alias: 'force' } });
    const id = containerId(flags, 'delete');
    const force = flags.has('force');
    let container: StoredContainer;
    try {
      container = context.store.read(id);
    } catch (error) {
      if (!force || !isNotFound(error)) throw error;
      // Half made: the id is taken, but there is no state yet.
      context.store.remove(id);
      return 0;
    }
    const status = containerStatus(container);
    if (status !== 'stopped') {
      // One that never started is its creator's to throw away.
      if (!force && status !== 'created') {
        throw new FailedPrecondition(`cannot delete container ${id} that is not stopped: ${status}`);
      }
      await killAndWait(container);
    }
    await deleteContainer(container, context);
    return 0;
  },
};

async function killAndWait(container: StoredContainer): Promise<void> {
  const cgroup = openCgroup(container.state.cgroups);
  try {
    process.kill(container.state.pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
  await cgroup.killAll(9);
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await delay(5)) {
    if (containerStatus(container) === 'stopped') return;
  }
  throw new FailedPrecondition('container init still running');
}

/** Frees all that a stopped container still has. A failing poststop hook is told and passed over (runtime-spec runtime.md, step 13). */
export async function deleteContainer(container: StoredContainer, { store, log }: Context): Promise<void> {
  const { id, bundle, cgroups } = container.state;
  const cgroup = openCgroup(cgroups);
  // Without a pid namespace of its own it may have left processes behind.
  if (cgroup.pids().length > 0) await cgroup.killAll(9);
  await cgroup.remove();
  runHooks(container.spec, 'poststop', { id, bundle, status: 'stopped' }, message => log.warn(message));
  store.remove(id);
}
