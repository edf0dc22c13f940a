import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../oci/index.ts';
import type { PullLayerState } from '../progress.ts';

/** A layer that some pull is fetching. */
export interface Flight {
  readonly chainId: Digest;
  /** Settles when it is over, well or not; never rejects. */
  readonly over: Promise<void>;
  /** All bytes are written; what is left is the commit. */
  landed: boolean;
  last: PullLayerState | undefined;
  readonly listeners: Set<(state: PullLayerState) => void>;
}

/** Sees to it that a layer wanted by two pulls is fetched once: the second one looks on, then finds it in the store. */
export class Flights {
  readonly #byDigest = new Map<Digest, Flight>();

  /**
   * Waits while others fetch the blob, telling their progress. When it returns, nobody does: the caller looks into its own store
   * first. Whatever went wrong for the others (their host, their credentials, their user's patience) is not the caller's failure.
   *
   * A flight's commit may wait for its parent's, which may in turn wait here. Looking on to the end is safe for the same chain id:
   * its parents are ours too, one step lower each time. For another place of the same blob it is not; then the blob's being
   * visible must do.
   */
  async lookOn(
    digest: Digest,
    chainId: Digest,
    options: {
      onState: (state: PullLayerState) => void;
      visible: () => Promise<boolean>;
      signal?: AbortSignal | undefined;
    },
  ): Promise<void> {
    const { onState, visible, signal } = options;
    for (;;) {
      const flight = this.#byDigest.get(digest);
      if (flight === undefined) return;
      if (flight.last !== undefined) onState(flight.last);
      flight.listeners.add(onState);
      try {
        if (flight.chainId === chainId) await abortable(flight.over, signal);
        else {
          while (this.#byDigest.get(digest) === flight) {
            if (flight.landed && (await visible())) return;
            await Promise.race([abortable(flight.over, signal), sleep(50, undefined, { ref: false })]);
          }
        }
      } finally {
        flight.listeners.delete(onState);
      }
    }
  }

  /** Whether somebody is fetching the blob now. */
  has(digest: Digest): boolean {
    return this.#byDigest.has(digest);
  }

  /** Registers the caller's flight for as long as `run` takes; only while `has` is false. */
  async fly<T>(digest: Digest, chainId: Digest, run: (flight: Flight) => Promise<T>): Promise<T> {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const flight: Flight = { chainId, over, landed: false, last: undefined, listeners: new Set() };
    this.#byDigest.set(digest, flight);
    try {
      return await run(flight);
    } finally {
      this.#byDigest.delete(digest);
      resolve();
    }
  }
}

/** Tells a state to those who look on. */
export function tell(flight: Flight, state: PullLayerState): void {
  flight.last = state;
  for (const listener of flight.listeners) listener(state);
}

function abortable(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    void promise.then(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
  });
}
