// `Up 3 minutes (healthy)`, `Exited (0) 2 hours ago`: the words of `docker ps` (moby container/state.go, docker/go-units HumanDuration).

import { humanDuration } from '../../api/index.ts';
import { parseNs } from '../clock.ts';
import { type StateRecord, statusOf } from './record.ts';

export function statusText(state: StateRecord, nowMs: number): string {
  const since = (time: string): string => humanDuration(nowMs - Number((parseNs(time) ?? 0n) / 1_000_000n));
  if (state.running) {
    if (state.paused) return `Up ${since(state.startedAt)} (Paused)`;
    if (state.restarting) return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    const { health } = state;
    const suffix =
      health === undefined || health.Status === 'none'
        ? ''
        : health.Status === 'starting'
          ? ' (health: starting)'
          : ` (${health.Status})`;
    return `Up ${since(state.startedAt)}${suffix}`;
  }
  if (state.removing) return 'Removal In Progress';
  if (state.dead) return 'Dead';
  if (statusOf(state) === 'created') return 'Created';
  return `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
}
