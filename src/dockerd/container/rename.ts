// POST /containers/{id}/rename.

import { Conflict, InvalidArgument } from '../../errdefs/index.ts';
import type { Container } from './container.ts';
import { parseName } from './names.ts';
import { type ContainerServices, eventAttributes } from './services.ts';

export async function renameContainer(services: ContainerServices, container: Container, text: string): Promise<void> {
  await container.lock.run(() => {
    const { record } = container;
    if (text === '') throw new InvalidArgument('Neither old nor new names may be empty');
    const name = parseName(text);
    const oldName = record.name;
    if (name === oldName) throw new InvalidArgument('Renaming a container with the same name as its current name');
    if (container.state.dead || container.state.removing) {
      throw new Conflict(`Container ${record.id} is marked for removal and cannot be renamed`);
    }
    services.store.reserveName(name, record.id);
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
