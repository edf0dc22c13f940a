// From a callback that is given pieces to whoever iterates over them; at most one piece waits.

export class Chunks implements AsyncIterable<Uint8Array> {
  #held: Uint8Array | undefined;
  #ended = false;
  #error: unknown;
  #wake = Promise.withResolvers<void>();
  #taken = Promise.withResolvers<void>();

  /** Resolves when the piece was taken. */
  put(chunk: Uint8Array): Promise<void> {
    this.#held = chunk;
    this.#taken = Promise.withResolvers();
    this.#wake.resolve();
    return this.#taken.promise;
  }

  end(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  fail(err: unknown): void {
    this.#error = err;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
      const chunk = this.#held;
      this.#held = undefined;
      if (chunk !== undefined) {
        yield chunk;
        this.#taken.resolve();
      }
      if (this.#ended) {
        if (this.#error !== undefined) throw this.#error;
        return;
      }
    }
  }
}
