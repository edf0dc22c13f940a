// Things that are asked for by name a moment before or after they come: a client opens its session at about the time it asks for the
// build, and asks for a build's status at about the time it starts it.

const waitMs = 5000;

export class Arrivals<T> {
  readonly #there = new Map<string, T>();
  readonly #waiting = new Map<string, Set<(thing: T) => void>>();

  has(name: string): boolean {
    return this.#there.has(name);
  }

  /** What is there now; undefined where it has not come. */
  peek(name: string): T | undefined {
    return this.#there.get(name);
  }

  add(name: string, thing: T): void {
    this.#there.set(name, thing);
    for (const wake of this.#waiting.get(name) ?? []) wake(thing);
    this.#waiting.delete(name);
  }

  /** Forgets `thing`, where it is still the one of that name. */
  remove(name: string, thing: T): void {
    if (this.#there.get(name) === thing) this.#there.delete(name);
  }

  /** Waits for it a few seconds; then throws what `missing` makes. */
  async get(name: string, signal: AbortSignal, missing: () => Error): Promise<T> {
    const there = this.#there.get(name);
    if (there !== undefined) return there;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiting = this.#waiting.get(name) ?? new Set();
    waiting.add(resolve);
    this.#waiting.set(name, waiting);
    const timer = setTimeout(() => reject(missing()), waitMs);
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      waiting.delete(resolve);
      if (waiting.size === 0) this.#waiting.delete(name);
    }
  }
}
