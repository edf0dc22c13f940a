// DELETE /containers/{id} (moby daemon/delete.go).

import { rm } from 'node:fs/promises';
import { Conflict, isNotFound } from '../../errdefs/index.ts';
import type { Container } from './container.ts';
import { cancelRestart } from './exit.ts';
import { killAndWait } from './kill.ts';
import { containerDirectory } from './paths.ts';
import { type ContainerServices, eventAttributes } from './services.ts';

export interface RemoveOptions {
  readonly force: boolean;
  /** Anonymous volumes go too. */
  readonly volumes: boolean;
  /** What the client called it, for the words of an error. */
  readonly ref?: string;
}

/** Removes a container; a running one only by force. */
export async function removeContainer(
  services: ContainerServices,
  container: Container,
  options: RemoveOptions,
): Promise<void> {
  const { state, record } = container;
  if (state.removing) throw new Conflict(`removal of container ${record.name} is already in progress`);
  state.removing = true;
  try {
    if (state.running) {
      if (!options.force) {
        const what = state.paused
          ? 'container is paused and must be unpaused first'
          : `container is ${state.restarting ? 'restarting' : 'running'}: stop the container before removing or force remove`;
        throw new Conflict(`cannot remove container "${options.ref ?? `/${record.name}`}": ${what}`);
      }
      if (state.restarting) await container.lock.run(() => cancelRestart(services, container));
      else await killAndWait(services, container);
    }
    await container.lock.run(() => removeWithLock(services, container, options));
  } catch (err) {
    state.removing = false;
    throw err;
  }
}

/** The removal itself, with the lock held and nothing running. */
export async function removeWithLock(
  services: ContainerServices,
  container: Container,
  options: RemoveOptions,
): Promise<void> {
  const { record, state } = container;
  if (services.store.byId(record.id) === undefined) return;
  clearTimeout(container.restartTimer);
  // Dead first, so that a crash in between never revives it.
  state.removing = true;
  state.dead = true;
  services.store.save(container);
  try {
    await services.snapshotter.remove(record.id);
  } catch (err) {
    if (!isNotFound(err)) {
      state.removing = false;
      throw err;
    }
  }
  services.store.remove(container);
  for (const mount of record.mounts) {
    if (mount.Type !== 'volume' || !mount.Name) continue;
    services.volumes.unuse(mount.Name, record.id);
    if (options.volumes && mount.anonymous === true && services.volumes.users(mount.Name).length === 0) {
      services.volumes.remove(mount.Name, true);
    }
  }
  services.removeSharedShm(record.id);
  services.timings.delete(record.id);
  for (const pending of container.pendingAttach.splice(0)) {
    pending.connection.socket.destroySoon();
    pending.done();
  }
  void rm(containerDirectory(services.config.dataRoot, record.id), { recursive: true, force: true }).catch(err => {
    services.log.warn('could not remove the files of a container', { container: record.id, err });
  });
  container.tellRemoved({ exitCode: state.exitCode });
  services.events.publish('container', 'destroy', record.id, eventAttributes(container));
}
