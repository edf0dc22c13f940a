// Whether and when a container that ended is started again (moby daemon/internal/restartmanager).

export interface RestartPolicy {
  readonly Name: string;
  readonly MaximumRetryCount: number;
}

const firstDelayMs = 100;
const maxDelayMs = 60_000;
/** A run of this length counts as a success: the delay begins anew. */
const steadyRunMs = 10_000;

/** What is known about a container's ends so far. */
export interface RestartHistory {
  /** Starts that this policy has made. */
  readonly count: number;
  readonly delayMs: number;
}

export const noRestarts: RestartHistory = { count: 0, delayMs: 0 };

export interface Ending {
  readonly exitCode: number;
  readonly ranMs: number;
  /** By `docker stop`, or a kill with the stop signal. */
  readonly manuallyStopped: boolean;
}

/** The delay before the next start, or undefined when there is to be none. */
export function decideRestart(
  policy: RestartPolicy,
  history: RestartHistory,
  ending: Ending,
): { readonly delayMs: number; readonly history: RestartHistory } | undefined {
  if (ending.manuallyStopped) return undefined;
  if (!wants(policy, history, ending.exitCode)) return undefined;
  const steady = ending.ranMs >= steadyRunMs || history.delayMs === 0;
  const delayMs = steady ? firstDelayMs : Math.min(history.delayMs * 2, maxDelayMs);
  return { delayMs, history: { count: history.count + 1, delayMs } };
}

function wants(policy: RestartPolicy, history: RestartHistory, exitCode: number): boolean {
  switch (policy.Name) {
    case 'always':
    case 'unless-stopped':
      return true;
    case 'on-failure':
      return exitCode !== 0 && (policy.MaximumRetryCount === 0 || history.count < policy.MaximumRetryCount);
    default:
      return false;
  }
}

/** Whether the daemon's start starts a container that is not running. */
export function startsWithDaemon(
  policy: RestartPolicy,
  last: { exitCode: number; manuallyStopped: boolean; everStarted: boolean },
): boolean {
  switch (policy.Name) {
    case 'always':
      return last.everStarted;
    case 'unless-stopped':
      return last.everStarted && !last.manuallyStopped;
    case 'on-failure':
      return last.everStarted && last.exitCode !== 0 && !last.manuallyStopped;
    default:
      return false;
  }
}
