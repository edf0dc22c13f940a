/** One holder at a time, in the order of asking. */
export class Mutex {
  #last: Promise<void> = Promise.resolve();

  async run<R>(work: () => Promise<R> | R): Promise<R> {
    const before = this.#last;
    let release!: () => void;
    this.#last = new Promise<void>(resolve => {
      release = resolve;
    });
    await before;
    try {
      return await work();
    } finally {
      release();
    }
  }
}
