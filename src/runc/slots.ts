import { ResourceExhausted } from '../errdefs/index.ts';
import type { Slot } from '../launcher/index.ts';

/** How many descriptors a program may hold at once (op.ts, Slot). */
const limit = 255;

/**
 * Gives out a program's descriptor slots and knows which the container's init holds: what is open before `exec` must be closed, so that
 * no path through /proc/self/fd leads out of the container (CVE-2024-21626).
 *
 * The init's own slots come from below and are used again once closed. Slots of the process that clones it come from above and are not:
 * its list is written in another order than it runs.
 */
export class Slots {
  readonly #open = new Set<Slot>();
  readonly #free: Slot[] = [];
  #next = 0;
  #top = limit;

  /** For what the init opens. */
  take(): Slot {
    const slot = this.#free.pop() ?? this.#next++;
    this.#check();
    this.#open.add(slot);
    return slot;
  }

  /** For what is opened before the clone: the init holds it too. */
  takeInherited(): Slot {
    const slot = this.takeOutside();
    this.#open.add(slot);
    return slot;
  }

  /** For what is opened after the clone by the process outside: the init never has it. */
  takeOutside(): Slot {
    const slot = --this.#top;
    this.#check();
    return slot;
  }

  /** To be called where the init's op that closes it is added. */
  give(slot: Slot): void {
    if (this.#open.delete(slot) && slot < this.#top) this.#free.push(slot);
  }

  /** Those that the init still holds, in order. */
  open(): readonly Slot[] {
    return [...this.#open].sort((a, b) => a - b);
  }

  #check(): void {
    if (this.#next > this.#top) {
      throw new ResourceExhausted(`the container needs more than ${limit} descriptors for its mounts`);
    }
  }
}
