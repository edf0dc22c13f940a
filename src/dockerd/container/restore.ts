// At the daemon's start: what runs is adopted, what ended meanwhile is settled, what is half made is cleaned up (moby daemon/daemon.go).

import type { TaskInfo } from '../../containerd/index.ts';
import { isNotFound } from '../../errdefs/index.ts';
import type { ExitStatus } from '../../shim/index.ts';
import { formatNs, nowNs } from '../clock.ts';
import type { Container } from './container.ts';
import { onExit } from './exit.ts';
import { resumeHealthChecks } from './health.ts';
import { endedEndpoint } from './network-config.ts';
import { removeOrphans } from './orphans.ts';
import { removeContainer } from './remove.ts';
import { startsWithDaemon } from './restart-policy.ts';
import type { ContainerServices } from './services.ts';
import { startContainer } from './start.ts';

/** Brings the records and the tasks together. Endpoints of the living are needed by the network before. */
export async function restoreContainers(services: ContainerServices, tasks: readonly TaskInfo[]): Promise<void> {
  const byId = new Map(tasks.map(task => [task.id, task]));
  for (const container of services.store.all()) {
    const task = byId.get(container.id);
    byId.delete(container.id);
    for (const mount of container.record.mounts) {
      if (mount.Type !== 'volume' || !mount.Name) continue;
      services.volumes.use(mount.Name, container.id);
      if (container.state.running) services.volumes.adopt(mount.Name, container.id);
    }
    await restoreOne(services, container, task);
  }
  // A task without a record: its container was never acknowledged, or is removed.
  for (const task of byId.values()) await discard(services, task);
  await removeOrphans(services);
}

async function restoreOne(
  services: ContainerServices,
  container: Container,
  task: TaskInfo | undefined,
): Promise<void> {
  const { state, record } = container;
  if (state.removing || state.dead) {
    // A removal that did not come to its end.
    if (task !== undefined) await discard(services, task);
    Object.assign(state, { removing: false, running: false });
    await removeContainer(services, container, { force: true, volumes: record.hostConfig.AutoRemove }).catch(err =>
      services.log.warn('could not finish a removal', { container: record.id, err }),
    );
    return;
  }
  if (task !== undefined && task.status !== 'created') {
    container.begin();
    Object.assign(state, { running: true, restarting: false, pid: task.pid, paused: task.status === 'paused' });
    if (task.status === 'stopped') {
      await onExit(services, container, task.exit ?? lost(), container.run);
      return;
    }
    services.store.save(container);
    resumeHealthChecks(services, container);
    return;
  }
  // A start that was cut short: as if it had not been.
  if (task !== undefined) await discard(services, task);
  if (state.running && !state.restarting) {
    // The machine was rebooted, or the task's state is gone: nobody knows how it ended.
    container.begin();
    services.log.warn('a running container has no task any more', { container: record.id });
    await onExit(services, container, lost(), container.run);
    return;
  }
  if (state.restarting) Object.assign(state, { running: false, restarting: false });
  for (const [name, settings] of Object.entries(record.networks)) {
    record.networks[name] = endedEndpoint(settings, record.endpoints);
  }
  if (record.endpoints.length > 0) {
    record.endpoints = [];
    record.ports = {};
    services.store.save(container);
  }
}

const lost = (): ExitStatus => ({ code: 255, signal: 0, timeNs: nowNs(), oom: false });

async function discard(services: ContainerServices, task: TaskInfo): Promise<void> {
  try {
    if (task.status !== 'stopped') {
      await services.tasks.kill(task.id, 9).catch(() => {});
      if (task.status !== 'created') await services.tasks.wait(task.id);
    }
    await services.tasks.delete(task.id);
  } catch (err) {
    if (!isNotFound(err)) services.log.warn('could not clean up a task', { task: task.id, err });
  }
}

/** Starts what its policy wants to run; those that others join first. */
export async function startByPolicy(services: ContainerServices): Promise<void> {
  const wanted = services.store.all().filter(container => {
    const { state, record } = container;
    if (state.running) return false;
    if (record.hostConfig.AutoRemove) return false;
    return startsWithDaemon(record.hostConfig.RestartPolicy, {
      exitCode: state.exitCode,
      manuallyStopped: state.manuallyStopped,
      everStarted: state.startedAt !== '0001-01-01T00:00:00Z',
    });
  });
  const joins = (container: Container): boolean =>
    [
      container.record.hostConfig.NetworkMode,
      container.record.hostConfig.IpcMode,
      container.record.hostConfig.PidMode,
    ].some(mode => mode.startsWith('container:')) || (container.record.hostConfig.Links ?? []).length > 0;
  // Oldest first, and those that depend on others last.
  const order = wanted.reverse().sort((a, b) => Number(joins(a)) - Number(joins(b)));
  for (const container of order) {
    await startContainer(services, container).catch(err => {
      Object.assign(container.state, { finishedAt: formatNs(nowNs()) });
      services.log.error('could not start a container', { container: container.id, err });
    });
  }
  // Those that were to vanish at their end, and ended while nobody looked.
  for (const container of services.store.all()) {
    if (container.state.running || !container.record.hostConfig.AutoRemove) continue;
    if (container.state.startedAt === '0001-01-01T00:00:00Z') continue;
    await removeContainer(services, container, { force: true, volumes: true }).catch(() => {});
  }
}
