import { setTimeout as sleep } from 'node:timers/promises';
import { isTransient, RegistryError } from './answer.ts';

export interface RetryPolicy {
  /** Tries in all; moby's max-download-attempts is 5. */
  readonly attempts: number;
  /** Wait before the second try; doubled for each further one, up to `maxMs`. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** Longest wait that a registry may ask for by Retry-After; beyond it, the refusal is final. */
  readonly retryAfterMaxMs: number;
}

export const defaultRetry: RetryPolicy = { attempts: 5, baseMs: 250, maxMs: 10_000, retryAfterMaxMs: 30_000 };

/**
 * Runs `attempt` until it succeeds, fails for good, or has failed `attempts` times without progress. An attempt that got further
 * (`progress` grew) starts the count anew: a large blob over a bad line is worth as many tries as it takes.
 */
export async function retrying<T>(
  policy: RetryPolicy,
  attempt: () => Promise<T>,
  options: {
    signal?: AbortSignal | undefined;
    progress?: () => number;
    onRetry?: (delayMs: number, err: unknown) => void;
  } = {},
): Promise<T> {
  const { signal, progress, onRetry } = options;
  for (let failures = 0; ; ) {
    signal?.throwIfAborted();
    const before = progress?.() ?? 0;
    try {
      return await attempt();
    } catch (err) {
      if (signal?.aborted) throw signal.reason;
      if ((progress?.() ?? 0) > before) failures = 0;
      failures++;
      const delayMs = waitBefore(policy, failures, err);
      if (delayMs === undefined || !isTransient(err)) throw err;
      onRetry?.(delayMs, err);
      await sleep(delayMs, undefined, { ...(signal !== undefined && { signal }) });
    }
  }
}

/** Undefined: no further try. */
function waitBefore(policy: RetryPolicy, failures: number, err: unknown): number | undefined {
  if (failures >= policy.attempts) return undefined;
  const asked = err instanceof RegistryError ? err.retryAfterMs : undefined;
  if (asked !== undefined) return asked > policy.retryAfterMaxMs ? undefined : asked;
  // A limit that does not say when it ends is not waited out.
  if (err instanceof RegistryError && err.status === 429) return undefined;
  const backOff = Math.min(policy.maxMs, policy.baseMs * 2 ** (failures - 1));
  return backOff * (0.75 + Math.random() / 4);
}
