// POST /containers/{id}/update: limits and the restart policy, live (moby daemon/update.go).

import type { HostConfig, UpdateRequest } from '../../api/index.ts';
import { Conflict, InvalidArgument } from '../../errdefs/index.ts';
import type { Container } from './container.ts';
import { type ContainerServices, eventAttributes } from './services.ts';
import { resourcesOf } from './spec/resources.ts';
import { validateResources, validateRestartPolicy } from './validate.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Fields that a request changes when they are not zero. */
const fields = [
  'CpuShares',
  'Memory',
  'NanoCpus',
  'BlkioWeight',
  'CpuPeriod',
  'CpuQuota',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'CpusetCpus',
  'CpusetMems',
  'MemoryReservation',
  'MemorySwap',
] as const;

export async function updateContainer(
  services: ContainerServices,
  container: Container,
  request: UpdateRequest,
  below: (version: string) => boolean,
): Promise<string[]> {
  return container.lock.run(async () => {
    const { record, state } = container;
    if (state.removing || state.dead)
      throw new Conflict(`Container ${record.id} is marked for removal and cannot be "update".`);
    const cannot = (why: string) => new InvalidArgument(`Cannot update container ${record.id}: ${why}`);
    const next: Mutable<HostConfig> = { ...record.hostConfig };
    validateRestartPolicy(request.RestartPolicy);
    if (request.RestartPolicy.Name !== '') {
      if (next.AutoRemove && request.RestartPolicy.Name !== 'no') {
        throw new InvalidArgument('Restart policy cannot be updated because AutoRemove is enabled for the container');
      }
      next.RestartPolicy = request.RestartPolicy;
    }
    for (const field of fields) {
      const value = request[field];
      if (value !== 0 && value !== '') (next as Record<string, unknown>)[field] = value;
    }
    // A raised limit must stay below the swap limit that was not named.
    if (request.Memory !== 0 && request.MemorySwap === 0 && next.MemorySwap > 0 && request.Memory > next.MemorySwap) {
      throw cannot(
        'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
      );
    }
    const { hostConfig } = record;
    if (request.NanoCpus !== 0 && hostConfig.CpuPeriod !== 0) {
      throw cannot('Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set');
    }
    if (request.NanoCpus !== 0 && hostConfig.CpuQuota !== 0) {
      throw cannot('Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set');
    }
    if (request.CpuPeriod !== 0 && hostConfig.NanoCpus !== 0) {
      throw cannot('Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set');
    }
    if (request.CpuQuota !== 0 && hostConfig.NanoCpus !== 0) {
      throw cannot('Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set');
    }
    if (request.PidsLimit !== null && !below('1.40'))
      next.PidsLimit = request.PidsLimit <= 0 ? null : request.PidsLimit;
    const warnings = validateResources(next, services.facts);
    if (state.running && !state.restarting) {
      const { blockIO, ...resources } = resourcesOf(next);
      const unlimited = request.PidsLimit !== null && request.PidsLimit <= 0 ? { pids: { limit: -1 } } : {};
      await services.tasks.update(record.id, {
        ...resources,
        ...(request.BlkioWeight !== 0 && blockIO !== undefined && { blockIO }),
        ...unlimited,
      });
    }
    record.hostConfig = next;
    services.store.save(container);
    services.events.publish('container', 'update', record.id, eventAttributes(container));
    return warnings;
  });
}
