// A container has ended: state and waiters first, then what takes time (moby daemon/monitor.go). The shim has drained all output by then.

import { isNotFound } from '../../errdefs/index.ts';
import type { ExitStatus } from '../../shim/index.ts';
import { formatNs, nowNs, parseNs } from '../clock.ts';
import type { Container } from './container.ts';
import { removeWithLock } from './remove.ts';
import { decideRestart } from './restart-policy.ts';
import { type ContainerServices, eventAttributes } from './services.ts';
import { launch, releaseMounts, releaseNetwork } from './start.ts';

/** The task of a running container has ended. */
export async function onExit(
  services: ContainerServices,
  container: Container,
  status: ExitStatus,
  run: number,
): Promise<void> {
  await container.lock.run(async () => {
    // Of an earlier run, or told twice.
    if (!container.state.running || container.run !== run || container.state.restarting) return;
    await settle(services, container, status);
  });
}

async function settle(services: ContainerServices, container: Container, status: ExitStatus): Promise<void> {
  const { record, state } = container;
  container.stopHealthChecks?.();
  container.stopHealthChecks = undefined;
  if (state.health !== undefined) state.health = { ...state.health, Status: 'unhealthy' };
  const started = parseNs(state.startedAt) ?? status.timeNs;
  const ranMs = Number(status.timeNs - started) / 1e6;
  const restart = decideRestart(record.hostConfig.RestartPolicy, container.restarts, {
    exitCode: status.code,
    ranMs,
    manuallyStopped: state.manuallyStopped,
  });
  Object.assign(state, {
    running: restart !== undefined,
    restarting: restart !== undefined,
    paused: false,
    pid: 0,
    exitCode: status.code,
    finishedAt: formatNs(status.timeNs),
    oomKilled: state.oomKilled || status.oom,
  });
  const endpoints = record.endpoints;
  record.endpoints = [];
  const deleted = services.tasks.delete(record.id).catch(err => {
    // After a reboot there is none.
    if (!isNotFound(err)) services.log.warn('could not delete a task', { container: record.id, err });
  });
  const released = releaseNetwork(services, container, endpoints).catch(err => {
    services.log.warn('could not release a network endpoint', { container: record.id, err });
  });
  releaseMounts(services, container);
  if (restart === undefined && record.hostConfig.AutoRemove) {
    // The row goes in a moment; a daemon that dies before finds it stopped and removes it.
    state.removing = true;
  }
  services.store.save(container);
  services.events.publish(
    'container',
    'die',
    record.id,
    eventAttributes(container, {
      execDuration: String(Math.max(0, Math.floor(ranMs / 1000))),
      exitCode: String(status.code),
    }),
  );
  container.end();
  container.tellExit({ exitCode: status.code });
  if (restart !== undefined) {
    container.restarts = restart.history;
    record.restartCount = restart.history.count;
    scheduleRestart(services, container, restart.delayMs);
    await Promise.all([deleted, released]);
    return;
  }
  await Promise.all([deleted, released]);
  if (record.hostConfig.AutoRemove) {
    state.removing = false;
    try {
      await removeWithLock(services, container, { force: true, volumes: true });
    } catch (err) {
      services.log.error('could not auto-remove a container', { container: record.id, err });
      container.tellRemoved({ exitCode: status.code, error: (err as Error).message });
    }
  }
}

/** Starts it after the delay, unless somebody stops it meanwhile. */
export function scheduleRestart(services: ContainerServices, container: Container, delayMs: number): void {
  container.restartTimer = setTimeout(() => {
    void container.lock.run(async () => {
      if (!container.state.restarting || container.state.manuallyStopped) return;
      try {
        await launch(services, container);
        services.store.save(container);
      } catch (err) {
        services.log.warn('could not restart a container', { container: container.id, err });
        // A failed start counts as an exit for the policy (moby: restart of a container whose start failed).
        Object.assign(container.state, { finishedAt: formatNs(nowNs()) });
        const again = decideRestart(container.record.hostConfig.RestartPolicy, container.restarts, {
          exitCode: container.state.exitCode,
          ranMs: 0,
          manuallyStopped: container.state.manuallyStopped,
        });
        if (again === undefined) return;
        container.restarts = again.history;
        Object.assign(container.state, { running: true, restarting: true });
        services.store.save(container);
        scheduleRestart(services, container, again.delayMs);
      }
    });
  }, delayMs);
}

/** Ends the wait for a restart; it is stopped then. */
export function cancelRestart(services: ContainerServices, container: Container): void {
  clearTimeout(container.restartTimer);
  container.restartTimer = undefined;
  Object.assign(container.state, { running: false, restarting: false });
  services.store.save(container);
  container.tellExit({ exitCode: container.state.exitCode });
}
