// `Up 3 minutes (healthy)`, `Exited (0) 2 hours ago`: the words of `docker ps` (moby container/state.go, docker/go-units HumanDuration).

import { parseNs } from '../clock.ts';
import { type StateRecord, statusOf } from './record.ts';

/** A length of time for people. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(seconds / 3600);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(hours / 24 / 365)} years`;
}

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
