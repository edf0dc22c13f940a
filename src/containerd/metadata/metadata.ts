// Where the engine keeps its records: one database file in the data root. What is acknowledged is in it first.

/** JSON records of one kind, by key. All calls are synchronous: a put costs some tens of microseconds and never waits for the disk. */
export interface Collection<T> {
  get(key: string): T | undefined;
  /** Inserts or replaces. The value is stored as JSON: what JSON drops (undefined, functions) is gone. */
  put(key: string, value: T): void;
  /** Whether there was one. */
  delete(key: string): boolean;
  /** All records, by key. */
  list(): { readonly key: string; readonly value: T }[];
}

/**
 * Survives the death of the process at any instant: what a call has stored is there after it. At a power cut the latest
 * records may be missing, but never one of two that were stored in one transaction, nor an earlier one of two.
 */
export interface Metadata {
  /** The records called `name`: containers, networks, volumes ... Made on first use. */
  collection<T>(name: string): Collection<T>;
  /** Runs `run` in one transaction: all of its puts and deletes, or none where it throws. It must not await. Nests. */
  transaction<R>(run: () => R): R;
  close(): void;
}
