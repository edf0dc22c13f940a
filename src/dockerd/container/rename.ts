// POST /containers/{id}/rename.

import { Conflict, EngineError, InvalidArgument } from '../../errdefs/index.ts';
import type { Container } from './container.ts';
import { parseName } from './names.ts';
import { type ContainerServices, eventAttributes } from './services.ts';

export async function renameContainer(services: ContainerServices, container: Container, text: string): Promise<void> {
  await container.lock.run(() => {
    const { record } = container;
    if (text === '') throw new InvalidArgument('Neither old nor new names may be empty');
    const name = allocate(() => parseName(text.startsWith('/') ? text : `/${text}`));
    const oldName = record.name;
    if (name === oldName) throw new InvalidArgument('Renaming a container with the same name as its current name');
    if (container.state.dead || container.state.removing) {
      throw new Conflict(`Container ${record.id} is marked for removal and cannot be renamed`);
    }
    allocate(() => services.store.reserveName(name, record.id));
    record.name = name;
    try {
      services.store.save(container);
    } catch (err) {
      record.name = oldName;
      services.store.releaseName(name, record.id);
      throw err;
    }
    services.store.releaseName(oldName, record.id);
    services.events.publish('container', 'rename', record.id, eventAttributes(container, { oldName: `/${oldName}` }));
  });
}

/** Docker's words before what is wrong with a new name. */
function allocate<R>(work: () => R): R {
  try {
    return work();
  } catch (err) {
    if (!(err instanceof EngineError)) throw err;
    throw new EngineError(err.code, `Error when allocating new name: ${err.message}`);
  }
}
