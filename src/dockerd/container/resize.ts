// POST /containers/{id}/resize.

import { Conflict, InvalidArgument } from '../../errdefs/index.ts';
import type { Container } from './container.ts';
import { type ContainerServices, eventAttributes } from './services.ts';

export interface ConsoleSize {
  readonly rows: number;
  readonly columns: number;
}

/** `h` and `w` of a query. */
export function parseSize(height: string, width: string): ConsoleSize {
  const number = (what: string, text: string): number => {
    if (!/^\d{1,9}$/.test(text))
      throw new InvalidArgument(`invalid resize ${what} ${JSON.stringify(text)}: invalid syntax`);
    return Number(text);
  };
  const rows = number('height', height);
  const columns = number('width', width);
  return { rows, columns };
}

export async function resizeContainer(
  services: ContainerServices,
  container: Container,
  size: ConsoleSize,
): Promise<void> {
  if (!container.state.running || container.state.restarting) {
    throw new Conflict(`container ${container.id} is not running`);
  }
  await services.tasks.resizePty(container.id, undefined, size);
  services.events.publish(
    'container',
    'resize',
    container.id,
    eventAttributes(container, { height: String(size.rows), width: String(size.columns) }),
  );
}
