import { write } from 'node:fs';

/** Writes to a descriptor in order without blocking the process, so that signals and input go on while a reader is slow. */
export class DescriptorWriter {
  readonly #fd: number;
  readonly #queue: Buffer[] = [];
  #writing = false;
  #waitingBytes = 0;
  #idle: (() => void)[] = [];
  #failed = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Bytes accepted and not written yet; a producer pauses when there are many. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  push(data: Buffer): void {
    if (this.#failed || data.length === 0) return;
    this.#queue.push(data);
    this.#waitingBytes += data.length;
    if (!this.#writing) this.#next();
  }

  /** Resolves when all is written. */
  drained(): Promise<void> {
    if (!this.#writing) return Promise.resolve();
    return new Promise(resolve => this.#idle.push(resolve));
  }

  #next(): void {
    // What has gathered goes out in one call.
    const data = this.#queue.length > 1 ? Buffer.concat(this.#queue.splice(0)) : this.#queue.shift();
    if (data === undefined) {
      this.#writing = false;
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    this.#writing = true;
    this.#write(data, 0);
  }

  #write(data: Buffer, from: number): void {
    write(this.#fd, data, from, data.length - from, null, (err, written) => {
      if (err !== null) {
        if (err.code === 'EAGAIN') {
          setTimeout(() => this.#write(data, from), 2);
          return;
        }
        if (err.code === 'EPIPE') process.exit(141); // as SIGPIPE would
        this.#failed = true;
        this.#queue.length = 0;
        this.#waitingBytes = 0;
        this.#next();
        return;
      }
      this.#waitingBytes -= written;
      if (from + written < data.length) this.#write(data, from + written);
      else this.#next();
    });
  }
}
