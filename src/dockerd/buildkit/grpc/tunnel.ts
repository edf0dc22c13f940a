// A connection inside a gRPC stream: what the client sends as messages is what can be read, what is written goes back as messages.

import { Duplex } from 'node:stream';

export class TunnelSocket extends Duplex {
  readonly #pending: { data: Buffer; done: () => void }[] = [];
  #wake: (() => void) | undefined;
  #over = false;

  constructor(incoming: AsyncIterable<{ readonly data: Uint8Array }>, signal: AbortSignal) {
    super();
    signal.addEventListener('abort', () => this.destroy(), { once: true });
    this.once('close', () => this.#end());
    void this.#receive(incoming);
  }

  /** Pieces for the other side, until the connection ends. */
  async *outgoing(): AsyncGenerator<Buffer> {
    for (;;) {
      const next = this.#pending.shift();
      if (next !== undefined) {
        yield next.data;
        next.done();
      } else if (this.#over) return;
      else
        await new Promise<void>(resolve => {
          this.#wake = resolve;
        });
    }
  }

  override _read(): void {
    // Pieces are pushed as they come: HTTP/2 has its own windows.
  }

  override _write(data: Buffer, _encoding: string, done: () => void): void {
    this.#pending.push({ data, done });
    this.#wake?.();
  }

  override _final(done: () => void): void {
    this.#end();
    done();
  }

  #end(): void {
    this.#over = true;
    this.#wake?.();
  }

  async #receive(incoming: AsyncIterable<{ readonly data: Uint8Array }>): Promise<void> {
    try {
      for await (const { data } of incoming) this.push(data);
      this.push(null);
    } catch {
      this.destroy(); // the client is gone; whoever uses the connection notices
    }
  }
}
