// POST /containers/{id}/pause and /unpause: the freezer of its cgroup.

import { Conflict, Internal } from '../../errdefs/index.ts';
import type { Container } from './container.ts';
import { type ContainerServices, eventAttributes } from './services.ts';

export async function pauseContainer(services: ContainerServices, container: Container): Promise<void> {
  await container.lock.run(async () => {
    const { state, record } = container;
    if (!state.running) throw new Conflict(`container ${record.id} is not running`);
    if (state.paused) throw new Conflict(`Container ${record.id} is already paused`);
    if (state.restarting)
      throw new Conflict(`Container ${record.id} is restarting, wait until the container is running`);
    await services.tasks.pause(record.id);
    state.paused = true;
    services.store.save(container);
    services.events.publish('container', 'pause', record.id, eventAttributes(container));
  });
}

export async function unpauseContainer(services: ContainerServices, container: Container): Promise<void> {
  await container.lock.run(async () => {
    const { state, record } = container;
    if (!state.paused) throw new Internal(`Container ${record.id} is not paused`);
    await services.tasks.resume(record.id);
    state.paused = false;
    services.store.save(container);
    services.events.publish('container', 'unpause', record.id, eventAttributes(container));
  });
}
