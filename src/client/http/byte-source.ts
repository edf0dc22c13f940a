import type { Duplex } from 'node:stream';

/** Bytes waiting above this pause the socket. */
const highWaterBytes = 1024 * 1024;

/** Pulls chunks out of a socket, with backpressure and put-back. One reader at a time. */
export class ByteSource {
  readonly socket: Duplex;
  readonly #chunks: Buffer[] = [];
  #waitingBytes = 0;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Duplex) {
    this.socket = socket;
    socket.on('data', this.#onData);
    socket.on('end', () => this.#finish());
    socket.on('close', () => this.#finish());
    socket.on('error', err => {
      this.#failure ??= err;
      this.#finish();
    });
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > highWaterBytes) this.socket.pause();
    this.#wake?.();
  };

  #finish(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** The next bytes, or undefined at the end. Rejects when the connection failed. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#waitingBytes -= chunk.length;
        if (this.#waitingBytes <= highWaterBytes && this.socket.isPaused()) this.socket.resume();
        return chunk;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return undefined;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  /** Puts bytes back in front. */
  unshift(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.unshift(chunk);
    this.#waitingBytes += chunk.length;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Stops pulling and gives back what has arrived; the socket is the caller's from now on, paused. */
  detach(): Buffer {
    this.socket.pause();
    this.socket.off('data', this.#onData);
    return Buffer.concat(this.#chunks.splice(0));
  }
}
