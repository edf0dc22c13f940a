// A container in memory: its record, who waits for it, and what runs only while the daemon does.

import { randomBytes } from 'node:crypto';
import type { Hijacked } from '../server/hijack.ts';
import type { ListedText } from './list-text.ts';
import { Mutex } from './mutex.ts';
import type { ContainerRecord } from './record.ts';
import { noRestarts, type RestartHistory } from './restart-policy.ts';

export interface ExitStatus {
  readonly exitCode: number;
  readonly error?: string;
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

/** Streams that a client asked for. */
export interface AttachRequest {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** With frame headers. */
  readonly framed: boolean;
  readonly detachKeys: string;
}

/** A client that attached before the start. */
export interface PendingAttach extends AttachRequest {
  readonly connection: Hijacked;
  /** Told when the engine no longer holds the connection. */
  readonly done: () => void;
}

export class Container {
  readonly record: ContainerRecord;
  /** Held by whatever changes the state: start, stop, remove and so on. */
  readonly lock = new Mutex();
  readonly pendingAttach: PendingAttach[] = [];
  /** Live execs and finished ones that may still be asked for. */
  readonly execIds = new Set<string>();
  /** Its item in the list, as far as it does not change by itself; dropped when the record is saved. */
  listed: ListedText | undefined;
  restarts: RestartHistory = noRestarts;
  /** A start that waits for its delay. */
  restartTimer: NodeJS.Timeout | undefined;
  /** Ends the health checks. */
  stopHealthChecks: (() => void) | undefined;
  /** The container's runs, counted: what belongs to an earlier run is told by it. */
  run = 0;
  readonly #exitWaiters = new Set<(status: ExitStatus) => void>();
  readonly #removalWaiters = new Set<(status: ExitStatus) => void>();
  /** Resolves when this run's output has ended and is in the log. */
  ended: Promise<void> = Promise.resolve();
  #end: () => void = () => {};

  constructor(record: ContainerRecord) {
    this.record = record;
  }

  get id(): string {
    return this.record.id;
  }

  get state(): ContainerRecord['state'] {
    return this.record.state;
  }

  /** A run begins. */
  begin(): void {
    this.run++;
    this.ended = new Promise(resolve => {
      this.#end = resolve;
    });
  }

  /** The run's output is complete. */
  end(): void {
    this.#end();
  }

  /** Tells those who wait for an exit. */
  tellExit(status: ExitStatus): void {
    const waiters = [...this.#exitWaiters];
    this.#exitWaiters.clear();
    for (const tell of waiters) tell(status);
  }

  /** Tells those who wait for the removal, and whoever else waits. */
  tellRemoved(status: ExitStatus): void {
    const waiters = [...this.#removalWaiters, ...this.#exitWaiters];
    this.#removalWaiters.clear();
    this.#exitWaiters.clear();
    for (const tell of waiters) tell(status);
  }

  /** The exit status once the condition holds. Aborting only stops the waiting. */
  wait(condition: WaitCondition, signal?: AbortSignal): Promise<ExitStatus> {
    const { state } = this;
    if (condition === 'not-running' && !state.running) return Promise.resolve({ exitCode: state.exitCode });
    const waiters = condition === 'removed' ? this.#removalWaiters : this.#exitWaiters;
    return new Promise((resolve, reject) => {
      const tell = (status: ExitStatus): void => {
        signal?.removeEventListener('abort', stop);
        resolve(status);
      };
      const stop = (): void => {
        waiters.delete(tell);
        reject(signal?.reason);
      };
      waiters.add(tell);
      signal?.addEventListener('abort', stop, { once: true });
    });
  }
}

export const newSandboxId = (): string => randomBytes(32).toString('hex');
