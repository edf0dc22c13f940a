// POST /containers/{id}/stop and /restart (moby daemon/stop.go, restart.go).

import { NotModified } from '../../errdefs/index.ts';
import type { Container } from './container.ts';
import { cancelRestart } from './exit.ts';
import { killAndWait, sendSignal, stopSignalOf } from './kill.ts';
import { type ContainerServices, eventAttributes } from './services.ts';
import { startContainer } from './start.ts';

export interface StopOptions {
  readonly signal?: number | undefined;
  /** Seconds; below 0 waits for ever. */
  readonly timeoutSeconds?: number | undefined;
}

/** Stops a container: its signal, then, after its time, SIGKILL. */
export async function stopContainer(
  services: ContainerServices,
  container: Container,
  options: StopOptions,
): Promise<void> {
  if (!container.state.running) throw new NotModified('container is already stopped');
  await stopRunning(services, container, options);
  services.events.publish('container', 'stop', container.id, eventAttributes(container));
}

async function stopRunning(services: ContainerServices, container: Container, options: StopOptions): Promise<void> {
  const { state, record } = container;
  if (state.restarting) {
    await container.lock.run(() => {
      state.manuallyStopped = true;
      cancelRestart(services, container);
    });
    return;
  }
  const seconds = options.timeoutSeconds ?? record.config.StopTimeout ?? services.config.stopTimeoutSeconds;
  const signal = options.signal ?? stopSignalOf(container);
  state.manuallyStopped = true;
  services.store.save(container);
  const patience = seconds < 0 ? undefined : AbortSignal.timeout(seconds * 1000);
  const ended = container.wait('next-exit', patience);
  ended.catch(() => {});
  let sent = true;
  try {
    await sendSignal(services, container, signal);
  } catch {
    sent = false;
  }
  if (!state.running) return;
  try {
    // A signal that could not be sent is waited for only briefly.
    await (sent ? ended : Promise.race([ended, new Promise((_, reject) => setTimeout(reject, 2000))]));
  } catch {
    if (state.running) await killAndWait(services, container);
  }
}

/** Stops it where it runs, and starts it. */
export async function restartContainer(
  services: ContainerServices,
  container: Container,
  options: StopOptions,
): Promise<void> {
  const { record } = container;
  // Auto-removal must wait for the end that is meant.
  const autoRemove = record.hostConfig.AutoRemove;
  if (autoRemove) record.hostConfig = { ...record.hostConfig, AutoRemove: false };
  try {
    if (container.state.running) {
      await stopRunning(services, container, options);
      services.events.publish('container', 'stop', container.id, eventAttributes(container));
    }
    await startContainer(services, container);
  } finally {
    if (autoRemove) {
      record.hostConfig = { ...record.hostConfig, AutoRemove: true };
      services.store.save(container);
    }
  }
  services.events.publish('container', 'restart', container.id, eventAttributes(container));
}
