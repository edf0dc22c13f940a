// POST /containers/{id}/kill (moby daemon/kill.go).

import { Conflict, DeadlineExceeded, isNotFound } from '../../errdefs/index.ts';
import type { Container } from './container.ts';
import { cancelRestart } from './exit.ts';
import { type ContainerServices, eventAttributes } from './services.ts';
import { parseSignal, sigkill, sigterm } from './signals.ts';

/** The signal that asks this container to stop. */
export function stopSignalOf(container: Container): number {
  const { StopSignal } = container.record.config;
  return StopSignal === undefined || StopSignal === '' ? sigterm : parseSignal(StopSignal);
}

const notRunning = (container: Container) => new Conflict(`container ${container.id} is not running`);

/** Sends a signal. Without one the container is killed, and the call waits for its end. */
export async function killContainer(
  services: ContainerServices,
  container: Container,
  signal: number | undefined,
): Promise<void> {
  if (!container.state.running) throw notRunning(container);
  if (signal === undefined || signal === sigkill) {
    if (container.state.restarting) {
      await container.lock.run(() => stopRestarting(services, container));
      return;
    }
    await killAndWait(services, container);
    return;
  }
  await sendSignal(services, container, signal);
}

function stopRestarting(services: ContainerServices, container: Container): void {
  container.state.manuallyStopped = true;
  cancelRestart(services, container);
}

/** Queues a signal and tells of it. A paused container is resumed afterwards, so that the signal can act. */
export async function sendSignal(services: ContainerServices, container: Container, signal: number): Promise<void> {
  const { state, record } = container;
  if (!state.running || state.restarting) throw notRunning(container);
  if (signal === sigkill || signal === stopSignalOf(container)) {
    // A stop by hand: the restart policy lets it be.
    state.manuallyStopped = true;
    services.store.save(container);
  }
  try {
    await services.tasks.kill(record.id, signal);
  } catch (err) {
    // It has just ended; its exit is on the way.
    if (isNotFound(err) && signal === sigkill) return;
    throw isNotFound(err) ? notRunning(container) : err;
  }
  if (state.paused) {
    await services.tasks.resume(record.id);
    state.paused = false;
    services.store.save(container);
    services.events.publish('container', 'unpause', record.id, eventAttributes(container));
  }
  services.events.publish('container', 'kill', record.id, eventAttributes(container, { signal: String(signal) }));
}

/** How long after SIGKILL an exit is waited for. */
const killTimeoutMs = 12_000;

/** SIGKILL, and the wait for the end. */
export async function killAndWait(services: ContainerServices, container: Container): Promise<void> {
  if (!container.state.running) return;
  const ended = container.wait('next-exit', AbortSignal.timeout(killTimeoutMs));
  ended.catch(() => {});
  try {
    await sendSignal(services, container, sigkill);
  } catch (err) {
    if (!container.state.running) return;
    throw err;
  }
  if (!container.state.running) return;
  try {
    await ended;
  } catch {
    throw new DeadlineExceeded(`could not kill container: tried to kill container, but did not receive an exit event`);
  }
}
