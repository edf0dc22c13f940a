// POST /containers/prune.

import type { ContainersPruneReport, Filters } from '../../api/index.ts';
import { Conflict, InvalidArgument, isNotFound } from '../../errdefs/index.ts';
import { parseNs } from '../clock.ts';
import { removeContainer } from './remove.ts';
import type { ContainerServices } from './services.ts';
import { sizeRw } from './size.ts';

export const pruneFilterKeys = ['label', 'label!', 'until'] as const;

let running = false;

/** Removes all stopped containers that fit. One prune at a time. */
export async function pruneContainers(services: ContainerServices, filters: Filters): Promise<ContainersPruneReport> {
  if (running) throw new Conflict('a prune operation is already running');
  running = true;
  try {
    const until = untilOf(filters);
    const deleted: string[] = [];
    let space = 0;
    for (const container of services.store.all()) {
      const { record, state } = container;
      if (state.running) continue;
      if (until !== undefined && BigInt(record.createdNs) > until) continue;
      if (!filters.labels('label', record.config.Labels)) continue;
      if (filters.has('label!') && filters.labels('label!', record.config.Labels)) continue;
      const size = await sizeRw(services, container).catch(() => 0);
      try {
        await removeContainer(services, container, { force: false, volumes: false });
      } catch (err) {
        if (!isNotFound(err)) services.log.warn('could not prune a container', { container: record.id, err });
        continue;
      }
      deleted.push(record.id);
      space += size;
    }
    services.events.publish('container', 'prune', '', { reclaimed: String(space) });
    return { ContainersDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: space };
  } finally {
    running = false;
  }
}

/** `until`: a time stamp, a date or a Go duration before now. */
export function untilOf(filters: Filters): bigint | undefined {
  const values = filters.get('until');
  if (values.length === 0) return undefined;
  if (values.length > 1) throw new InvalidArgument('more than one until filter specified');
  return parseUntil(values[0]!);
}

const units: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

export function parseUntil(text: string): bigint {
  if (/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) {
    let ns = 0;
    for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
      ns += Number(number) * units[unit!]!;
    return BigInt(Date.now()) * 1_000_000n - BigInt(Math.round(ns));
  }
  if (/^\d+(\.\d+)?$/.test(text)) return BigInt(Math.round(Number(text) * 1000)) * 1_000_000n;
  const iso = /^\d{4}-\d\d-\d\d$/.test(text)
    ? `${text}T00:00:00Z`
    : /T\d\d:\d\d$/.test(text)
      ? `${text}:00Z`
      : /T\d\d:\d\d:\d\d(\.\d+)?$/.test(text)
        ? `${text}Z`
        : text;
  const ns = parseNs(iso);
  if (ns === undefined) throw new InvalidArgument(`failed to parse value as time or duration: ${JSON.stringify(text)}`);
  return ns;
}
